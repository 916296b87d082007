import { isRootless } from "../../runtime/oci/rootless.ts";
import { bool } from "../flags/kinds.ts";
import { defineRuntimeCommand } from "./command.ts";
import { createFlags, handOver, service } from "./process-flags.ts";
import { stay } from "./stay.ts";

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id>",
  summary: "Create and run a container",
  flags: {
    ...createFlags,
    detach: bool({ short: "d", usage: "Detach from the container's process" }),
    keep: bool({ usage: "Do not delete the container after it exits" }),
    "no-subreaper": bool({ usage: "Disable the use of the subreaper used to reap reparented processes" }),
  },
  args: { least: 1, most: 1 },
  async run({ cli, globals, log, root, native: find, flags, args: [id = ""] }) {
    const native = find();
    const { createContainer } = await import("../../runtime/oci/create.ts");
    const { startNotifying } = await import("./start.ts");
    const options = {
      root,
      native,
      log,
      bundle: flags.bundle || process.cwd(),
      noPivot: flags["no-pivot"],
      rootless: isRootless(globals.rootless),
      systemd: globals["systemd-cgroup"],
    };
    if (!flags.detach) (await import("../../linux/sys/become.ts")).becomeSubreaper();
    const given = { ...handOver(flags, cli.env, !flags.detach), ...service(cli.env) };
    const { home, state, console, endsByDeletion } = await createContainer(id, { ...options, ...given });
    const main = flags.detach ? undefined : process.pid;
    try {
      await startNotifying(cli.env.NOTIFY_SOCKET, home, native, main);
    } catch (failure) {
      const { deleteContainer } = await import("../../runtime/oci/end.ts");
      await deleteContainer(home, native, true).catch(() => {});
      throw failure;
    }
    if (flags.detach) return 0;
    const end = endsByDeletion ? (await import("./afterwards.ts")).deletion(id, root, globals) : home.recipe;
    return stay({
      native,
      pid: state.pid,
      console,
      end: flags.keep ? undefined : end,
      subreaper: !flags["no-subreaper"],
    });
  },
});
