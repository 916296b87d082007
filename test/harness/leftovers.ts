import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What the kernel holds below some directories. */
export interface Leftovers {
  /** `PID COMMAND` of each process that lives there: by arguments, open files, or the mounts of a namespace of its own. */
  readonly processes: readonly string[];
  /** Mount points in this namespace, innermost first. */
  readonly mounts: readonly string[];
}

/** Looks for processes and mounts that belong to the directories. */
export function leftoversBelow(folders: readonly string[]): Leftovers {
  const processes = processesBelow(folders).map((pid) => `${pid} ${commandOf(pid)}`);
  return { processes, mounts: mountsBelow(folders) };
}

/** Kills those processes and detaches those mounts. */
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
  const here = linkOf("/proc/self/ns/mnt");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => tracesOf(pid, here).some((trace) => folders.some((folder) => trace.includes(folder))))
    .map(Number);
}

function tracesOf(pid: string, here: string): string[] {
  const folder = `/proc/${pid}`;
  const descriptors = namesIn(`${folder}/fd`).map((fd) => linkOf(`${folder}/fd/${fd}`));
  const foreign = linkOf(`${folder}/ns/mnt`) !== here;
  return [
    textOf(`${folder}/cmdline`),
    linkOf(`${folder}/cwd`),
    linkOf(`${folder}/exe`),
    ...descriptors,
    foreign ? textOf(`${folder}/mountinfo`) : "",
  ];
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
