import { readdirSync } from "node:fs";
import { type CgroupLayout, v1HierarchyOf } from "../detect.ts";
import { facilitiesOf } from "../facilities.ts";
import { placesOf } from "../places.ts";
import { tryRead } from "../plan.ts";
import type { TryRead } from "../prepare.ts";
import { v1Blkio, v2Blkio } from "./blkio.ts";
import { hugePageSizes, hugetlbStats } from "./hugetlb.ts";
import { v1Memory, v2Memory } from "./memory.ts";
import { type Files, filesOf, pressureOf, UNLIMITED, unlessEmpty, unlessZero } from "./read.ts";
import type { CgroupStats, CpuStats } from "./types.ts";
import { v1Cpu, v1Cpuset } from "./v1-cpu.ts";

export interface StatsRequest {
  readonly layout: CgroupLayout;
  /** `linux.cgroupsPath`. */
  readonly path: string;
  /** For tests: reads a file, undefined where there is none. */
  readonly read?: TryRead;
  /** For tests: the names below /sys/kernel/mm/hugepages. */
  readonly hugePages?: readonly string[];
}

/** What the processes of a cgroup have used. A controller that the machine does not have says nothing. */
export function cgroupStats({ layout, path, read = tryRead, hugePages = hugePageNames() }: StatsRequest): CgroupStats {
  const { controllers } = facilitiesOf(placesOf(layout, path), "");
  const of = (controller: string): Files => filesOf(controllers[controller], read);
  const isV1 = (controller: string): boolean => v1HierarchyOf(layout, controller) !== undefined;
  const unified = filesOf(layout.v2 === undefined ? undefined : placesOf(layout, path).at(-1)?.directory, read);
  const pids = isV1("pids") ? of("pids") : unified;
  return {
    cpu: isV1("cpuacct") || isV1("cpu") ? v1Cpu(of("cpu"), of("cpuacct")) : v2Cpu(unified),
    cpuset: v1Cpuset(isV1("cpuset") ? of("cpuset") : filesOf(undefined, read)),
    memory: isV1("memory") ? v1Memory(of("memory")) : v2Memory(unified),
    pids: pidsOf(pids),
    blkio: isV1("blkio") ? v1Blkio(of("blkio")) : v2Blkio(unified),
    hugetlb: hugetlbStats(of("hugetlb"), hugePageSizes(hugePages)),
  };
}

function hugePageNames(): readonly string[] {
  try {
    return readdirSync("/sys/kernel/mm/hugepages");
  } catch {
    return []; // a kernel without huge pages
  }
}

/** No limit is shown as none; without the controller the processes are counted. */
function pidsOf(files: Files): CgroupStats["pids"] {
  const limit = files.count("pids.max");
  const listed = (): bigint => BigInt((files.text("cgroup.procs") ?? "").split("\n").filter(Boolean).length);
  return {
    ...unlessZero("current", files.count("pids.current") ?? listed()),
    ...unlessZero("limit", limit === UNLIMITED ? 0n : limit),
  };
}

/** cpu.stat counts microseconds, the shape has nanoseconds (cgroup-v2.rst, "CPU Interface Files"). */
function v2Cpu(files: Files): CpuStats {
  const stat = files.table("cpu.stat") ?? {};
  const nanoseconds = (key: string): bigint => (stat[key] ?? 0n) * 1000n;
  return {
    ...unlessEmpty("usage", {
      ...unlessZero("total", nanoseconds("usage_usec")),
      kernel: nanoseconds("system_usec"),
      user: nanoseconds("user_usec"),
    }),
    ...unlessEmpty("throttling", {
      ...unlessZero("periods", stat.nr_periods),
      ...unlessZero("throttledPeriods", stat.nr_throttled),
      ...unlessZero("throttledTime", nanoseconds("throttled_usec")),
    }),
    ...pressureOf(files.text("cpu.pressure")),
  };
}
