import { isRootless } from "../../runtime/oci/rootless.ts";
import { defineRuntimeCommand } from "./command.ts";
import { createFlags, handOver, service } from "./process-flags.ts";

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id>",
  summary: "Create a container",
  flags: createFlags,
  args: { least: 1, most: 1 },
  async run({ cli, globals, log, root, native, flags, args: [id = ""] }) {
    const { createContainer } = await import("../../runtime/oci/create.ts");
    const bundle = flags.bundle || process.cwd();
    await createContainer(id, {
      root,
      native: native(),
      bundle,
      log,
      rootless: isRootless(globals.rootless),
      noPivot: flags["no-pivot"],
      systemd: globals["systemd-cgroup"],
      ...handOver(flags, cli.env, false),
      ...service(cli.env),
    });
    return 0;
  },
});
