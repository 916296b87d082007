import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What the kernel holds below some directories. */
export interface Leftovers {
  /** `PID COMMAND` of each process that lives there: by arguments, open files, or the mounts of a namespace of its own. */
  readonly processes: readonly string[];
  /** Mount points in this namespace, innermost first; but those of layers, which stay as long as the layers do. */
  readonly mounts: readonly string[];
}

/** Where a store mounts a layer (src/image/snapshot/layer-mount.ts). */
const LAYER_MOUNT = /\/layers\/sha(?:256|512)-[0-9a-f]+\/diff$/;

/** Looks for processes and mounts that belong to the directories. */
export function leftoversBelow(folders: readonly string[]): Leftovers {
  const processes = processesBelow(folders).map((pid) => `${pid} ${commandOf(pid)}`);
  return { processes, mounts: mountsBelow(folders).filter((mount) => !LAYER_MOUNT.test(mount)) };
}

/** Kills those processes and detaches those mounts, those of layers too. */
export async function removeLeftovers(folders: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const pids = processesBelow(folders);
    if (pids.length === 0) break;
    for (const pid of pids) kill(pid);
    await Bun.sleep(20);
  }
  for (const mount of mountsBelow(folders)) Bun.spawnSync(["umount", "-l", mount]);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== "ESRCH") throw failure;
  }
}

function processesBelow(folders: readonly string[]): number[] {
  const ours = [1, process.pid, process.ppid];
  return namesIn("/proc")
    .filter((name) => /^\d+$/.test(name) && !ours.includes(Number(name)))
    .filter((pid) => tracesOf(pid).some((trace) => folders.some((folder) => mentions(trace, folder))))
    .map(Number);
}

/** Whether the text names the folder or something below it, not only a longer name or a path that ends alike. */
export function mentions(text: string, folder: string): boolean {
  const name = folder.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w./-])${name}(?![\\w.-])`).test(text);
}

/**
 * What ties a process to a place. Of a mount namespace only the root counts: other mounts propagate into namespaces of
 * processes that have nothing to do with them.
 */
function tracesOf(pid: string): string[] {
  const folder = `/proc/${pid}`;
  const descriptors = namesIn(`${folder}/fd`).map((fd) => linkOf(`${folder}/fd/${fd}`));
  const root = textOf(`${folder}/mountinfo`)
    .split("\n")
    .filter((line) => line.split(" ")[4] === "/");
  return [textOf(`${folder}/cmdline`), linkOf(`${folder}/cwd`), linkOf(`${folder}/exe`), ...descriptors, ...root];
}

function commandOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() || textOf(`/proc/${pid}/comm`).trim();
}

/** proc_pid_mountinfo(5): the fifth field is the mount point, with blanks as `\040`. */
function mountsBelow(folders: readonly string[]): string[] {
  return textOf("/proc/self/mountinfo")
    .split("\n")
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((point) => folders.some((folder) => point === folder || point.startsWith(`${folder}/`)))
    .reverse();
}

// Processes end while they are looked at.
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
