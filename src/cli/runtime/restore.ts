import { bool, string } from "../flags/kinds.ts";
import { defineRuntimeCommand } from "./command.ts";
import { criuFlags, criuFlagsOf } from "./criu-flags.ts";
import { stay } from "./stay.ts";

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id>",
  summary: "Restore a container from a previous checkpoint",
  flags: {
    ...criuFlags,
    bundle: string({ short: "b", usage: "Path to the bundle directory, defaults to the current directory" }),
    "console-socket": string({ usage: "Path to an AF_UNIX socket which will receive the terminal's master" }),
    detach: bool({ short: "d", usage: "Detach from the container's process" }),
    "pid-file": string({ usage: "Specify the file to write the process id to" }),
    "no-subreaper": bool({ usage: "Disable the use of the subreaper used to reap reparented processes" }),
    "no-pivot": bool({ usage: "Accepted; CRIU changes the root as it did for the checkpoint", hidden: true }),
    "lsm-profile": string({ usage: "LSM profile to restore with, as TYPE:NAME" }),
    "lsm-mount-context": string({ usage: "LSM mount context to restore with" }),
  },
  args: { least: 1, most: 1 },
  async run({ globals, root, native: find, flags, args: [id = ""] }) {
    const native = find();
    const { restoreContainer } = await import("../../runtime/oci/restore.ts");
    if (!flags.detach) (await import("../../linux/sys/become.ts")).becomeSubreaper();
    const { home, state, endsByDeletion } = await restoreContainer(id, {
      ...criuFlagsOf(flags),
      root,
      native,
      bundle: flags.bundle || process.cwd(),
      consoleSocket: flags["console-socket"],
      pidFile: flags["pid-file"],
      lsmProfile: flags["lsm-profile"],
      lsmMountContext: flags["lsm-mount-context"],
    });
    if (flags.detach) return 0;
    const end = endsByDeletion ? (await import("./afterwards.ts")).deletion(id, root, globals) : home.recipe;
    return stay({
      native,
      pid: state.pid,
      console: undefined,
      end,
      subreaper: !flags["no-subreaper"],
    });
  },
});
