import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** All processes of this machine. */
export function processes(): Set<number> {
  return new Set(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
  );
}

/**
 * Private memory in KiB (Private_Clean + Private_Dirty, proc_pid_smaps(5)) of the processes that were not there before and
 * that are not in a container: what a container costs beside itself.
 */
export function keptMemory(before: ReadonlySet<number>): number {
  const here = namespaceOf("self");
  return [...processes()]
    .filter((pid) => !before.has(pid) && namespaceOf(String(pid)) === here)
    .reduce((sum, pid) => sum + privateMemory(pid), 0);
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** KiB; zero for a process that has ended. */
export function privateMemory(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)].reduce(
      (sum, [, size]) => sum + Number(size),
      0,
    );
  } catch {
    return 0;
  }
}

/** The processes whose command has one of the names. */
export function processesNamed(names: readonly string[]): number[] {
  return [...processes()].filter((pid) => {
    try {
      return names.includes(readFileSync(`/proc/${pid}/comm`, "utf8").trim());
    } catch {
      return false;
    }
  });
}
