import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { detectCgroups } from "../src/linux/cgroups/detect.ts";
import { timed } from "./measurement.ts";

interface Place {
  readonly directory: string;
  readonly peak: string;
}

/** What one enters to be counted: cgroup.procs, below either version's memory controller; undefined without one. */
function place(): Place | undefined {
  const { v1, v2 } = detectCgroups();
  const older = v1.find(({ controllers }) => controllers.includes("memory"));
  if (older !== undefined) return { directory: older.mountPoint, peak: "memory.max_usage_in_bytes" };
  return v2?.controllers.includes("memory") ? { directory: v2.mountPoint, peak: "memory.peak" } : undefined;
}

/**
 * The most memory in KiB that the kernel charges for a command and all that it starts: pages that they write to and new page cache, tables of the
 * kernel. `undo` then ends what it has left. Undefined where this machine does not count (cgroups(7); v2 does from Linux 5.19 on).
 */
export function peakMemory(command: readonly string[], undo: readonly string[]): number | undefined {
  const at = place();
  if (at === undefined) return undefined;
  const cgroup = join(at.directory, `galley-bench-memory-${process.pid}`);
  mkdirSync(cgroup);
  try {
    if (!existsSync(join(cgroup, at.peak))) return undefined;
    timed(["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', cgroup, ...command], "ignore");
    const peak = Number(readFileSync(join(cgroup, at.peak), "utf8")) / 1024;
    timed(undo, "ignore");
    return peak;
  } finally {
    rmdirSync(cgroup);
  }
}
