/** What `create`, `run` and `exec` share: how the process's terminal and descriptors are handed over. */
import type { ConsoleTarget } from "../../runtime/types.ts";
import type { FlagValues } from "../flags/flag.ts";
import { bool, int, string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";

export const handOverFlags = {
  "console-socket": string({
    usage: "Path to an AF_UNIX socket which will receive the master end of the console's pseudoterminal",
  }),
  "pidfd-socket": string({ usage: "Path to an AF_UNIX socket which will receive a pidfd of the process" }),
  "pid-file": string({ usage: "Specify the file to write the process id to" }),
  "no-new-keyring": bool({ usage: "Do not create a new session keyring for the container" }),
  "preserve-fds": int({
    usage: "Pass N additional file descriptors to the container (stdio + $LISTEN_FDS + N in total)",
  }),
};

export const createFlags = {
  ...handOverFlags,
  bundle: string({ short: "b", usage: "Path to the root of the bundle directory, defaults to the current directory" }),
  "no-pivot": bool({ usage: "Do not use pivot root to jail process inside rootfs" }),
};

type HandOver = FlagValues<typeof handOverFlags>;

/** As the library takes them; a terminal without a socket is the caller's own, where there is one. */
export function handOver(flags: HandOver, env: Readonly<Record<string, string | undefined>>, own?: ConsoleTarget) {
  const socket = flags["console-socket"];
  const console: ConsoleTarget | undefined = socket === "" ? own : { kind: "socket", path: socket };
  return {
    preserved: preserved(flags, env),
    keepKeyring: flags["no-new-keyring"],
    ...(console === undefined ? {} : { console }),
    ...(flags["pid-file"] === "" ? {} : { pidFile: flags["pid-file"] }),
    ...(flags["pidfd-socket"] === "" ? {} : { pidfdSocket: flags["pidfd-socket"] }),
  };
}

/** Descriptors of sd_listen_fds(3) come first. */
function preserved(flags: HandOver, env: Readonly<Record<string, string | undefined>>): number {
  const extra = flags["preserve-fds"] ?? 0;
  if (extra < 0) throw new UsageError("--preserve-fds takes a number that is not negative", 1, true);
  const listen = Number(env.LISTEN_FDS ?? 0);
  return extra + (Number.isInteger(listen) && listen > 0 ? listen : 0);
}
