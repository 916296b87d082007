import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { bool, duration, string } from "../flags/kinds.ts";
import { humanSize } from "../format/units.ts";

/** Nanoseconds that a push may take from its first blob to its manifest. */
const HOUR = 3600e9;

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Delete what a registry keeps and nothing needs",
  flags: {
    "delete-untagged": bool({ short: "m", usage: "Also delete manifests that no tag leads to" }),
    "older-than": duration({
      usage: "Keep what came since: it may belong to a push",
      initial: HOUR,
      shownDefault: "1h",
    }),
    quiet: bool({ short: "q", usage: "Do not list what goes" }),
    root: string({ usage: "Directory of what the registry keeps", shownDefault: '"<root of the store>/registry"' }),
  },
  args: { most: 0 },
  async run({ cli, flags }) {
    const [{ RegistryStore }, { collectGarbage }] = await Promise.all([
      import("../../registry/store/registry-store.ts"),
      import("../../registry/collect.ts"),
    ]);
    using store = RegistryStore.open(flags.root === "" ? resolve(cli.options.root, "registry") : resolve(flags.root));
    const freed = await collectGarbage(store, {
      before: Date.now() - (flags["older-than"] ?? HOUR) / 1e6,
      untagged: flags["delete-untagged"],
      onRemoved: (digest, name) => {
        if (!flags.quiet) cli.out(`deleted: ${name === "" ? digest : `${name}@${digest}`}\n`);
      },
    });
    cli.out(`Total reclaimed space: ${humanSize(freed)}\n`);
    return 0;
  },
});
