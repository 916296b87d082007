import { readFile, writeFile } from "node:fs";

/**
 * Takes the wait out of the move into v1 cgroups that is to come, and returns at once.
 *
 * The first move after a while waits for an RCU grace period, 10 to 20 ms in which the kernel switches a lock to its slow mode; the
 * moves that follow soon after do not. So this process is moved to the cgroup that it is in already, by another thread, while
 * the command is still being thought out. A failure costs nothing but the wait. With v2 alone there is no such move.
 */
export function warmUpAttach(): void {
  readFile("/proc/self/cgroup", "utf8", (failure, memberships) => {
    if (failure !== null) return;
    const path = legacyProcs(memberships);
    if (path !== undefined) writeFile(path, "0", { flag: "r+" }, () => {});
  });
}

/** This process's cgroup.procs in a v1 hierarchy with one controller, which is mounted where everybody mounts it. */
export function legacyProcs(memberships: string): string | undefined {
  const match = /^\d+:(pids|freezer|memory|devices):(.*)$/m.exec(memberships);
  return match === null ? undefined : `/sys/fs/cgroup/${match[1]}${match[2] === "/" ? "" : match[2]}/cgroup.procs`;
}
