/** What `create`, `run` and `exec` share: how the process's terminal and descriptors are handed over. */
import { readFileSync, readlinkSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { O } from "../../linux/sys/flags.ts";
import { needlessSocket } from "../../runtime/oci/console.ts";
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

/** As the library takes them. `stays`: the caller's own terminal is relayed, and no socket gets it. An exec has no sockets of `env`. */
export function handOver(flags: HandOver, env: Env, stays: boolean) {
  return {
    preserved: preserved(flags, env),
    keepKeyring: flags["no-new-keyring"],
    console: consoleTarget(flags["console-socket"], stays),
    ...(flags["pid-file"] === "" ? {} : { pidFile: flags["pid-file"] }),
    ...(flags["pidfd-socket"] === "" ? {} : { pidfdSocket: flags["pidfd-socket"] }),
  };
}

function consoleTarget(path: string, stays: boolean): ConsoleTarget | undefined {
  if (path === "") return stays ? { kind: "passed" } : undefined;
  if (stays) throw needlessSocket();
  return { kind: "socket", path };
}

type Env = Readonly<Record<string, string | undefined>>;

/** What a service manager has for the container: its sockets (sd_listen_fds(3)) and its ear (sd_notify(3)). */
export function service(env: Env) {
  const sockets = listened(env);
  return {
    ...(sockets === 0 ? {} : { environment: [`LISTEN_FDS=${sockets}`, "LISTEN_PID=1"] }),
    ...(env.NOTIFY_SOCKET ? { notify: true } : {}),
  };
}

/** How many sockets are meant for this very process. */
function listened({ LISTEN_PID: pid, LISTEN_FDS: count = "" }: Env): number {
  return pid === String(process.pid) && /^[0-9]{1,5}$/.test(count) ? Number(count) : 0;
}

/** A service manager's sockets come first. */
function preserved(flags: HandOver, env: Env): number {
  const extra = flags["preserve-fds"] ?? 0;
  if (extra < 0) throw new UsageError("--preserve-fds takes a number that is not negative", 1, true);
  const first = listened(env);
  for (let fd = 3; fd < 3 + first; fd += 1) {
    if (isInherited(fd)) continue;
    throw new GalleyError("invalid_argument", `LISTEN_FDS: descriptor ${fd} of ${first} is not open`, {
      hint: "it counts the sockets from descriptor 3 on",
    });
  }
  for (let index = 0; index < extra; index += 1) {
    if (isInherited(3 + first + index)) continue;
    throw new GalleyError("invalid_argument", `unable to stat preserved-fd ${index} (of ${extra})`, {
      hint: "--preserve-fds counts the descriptors from 3 on that are open",
    });
  }
  return first + extra;
}

/** Bun's own descriptors, of which there are some from the first free number on, are closed on exec and of no file. */
function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "";
    const isClosed = (Number.parseInt(flags, 8) & O.CLOEXEC) !== 0;
    return !(isClosed && readlinkSync(`/proc/self/fd/${fd}`).startsWith("anon_inode:"));
  } catch {
    return false;
  }
}
