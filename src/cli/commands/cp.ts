import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- or SRC_PATH|- CONTAINER:DEST_PATH",
  summary: "Copy files/folders between a container and the local filesystem",
  flags: {
    archive: bool({ short: "a", usage: "Archive mode (copy all uid/gid information)" }),
    "follow-link": bool({ short: "L", usage: "Always follow symbol link in SRC_PATH" }),
    quiet: bool({ short: "q", usage: "Suppress what is said on a terminal after the copy" }),
  },
  args: { least: 2, most: 2 },
  async run({ cli, flags, args: [source = "", destination = ""] }) {
    const [{ directionOf }, { copyIn, copyOut }] = await Promise.all([
      import("../copy/ends.ts"),
      import("../copy/copy.ts"),
    ]);
    const { from, to } = directionOf(source, destination);
    const { containers } = await cli.engine();
    const bytes =
      from.kind === "container"
        ? await copyOut(containers, from, to.kind === "local" ? to.path : undefined, flags)
        : to.kind === "container" &&
          (await copyIn(containers, from.kind === "local" ? from.path : undefined, to, flags));
    if (!flags.quiet && cli.isTerminal(2) && destination !== "-") {
      const { humanSize } = await import("../format/units.ts");
      cli.err(`Successfully copied ${humanSize(Number(bytes))} to ${destination}\n`);
    }
    return 0;
  },
});
