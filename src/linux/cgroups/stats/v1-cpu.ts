/** CPU statistics of cgroup v1 (Documentation/admin-guide/cgroup-v1/cpuacct.rst, cpusets.rst). */
import { numbersOf } from "../../../spec/number-list.ts";
import { type Files, unlessEmpty, unlessZero } from "./read.ts";
import type { CgroupStats, Count, CpuStats } from "./types.ts";

/** Nanoseconds in a clock tick of user space, which is 1/100 s on every machine. */
const TICK = 10_000_000n;

export function v1Cpu(cpu: Files, cpuacct: Files): CpuStats {
  const throttled = cpu.table("cpu.stat") ?? {};
  const usage = usageOf(cpuacct);
  return {
    ...(usage === undefined ? {} : { usage }),
    ...unlessEmpty("throttling", {
      ...unlessZero("periods", throttled.nr_periods),
      ...unlessZero("throttledPeriods", throttled.nr_throttled),
      ...unlessZero("throttledTime", throttled.throttled_time),
    }),
  };
}

function usageOf(files: Files): CpuStats["usage"] {
  const total = files.count("cpuacct.usage");
  if (total === undefined) return undefined;
  const { user = 0n, system = 0n } = files.table("cpuacct.stat") ?? {};
  const percpu = numbers(files.text("cpuacct.usage_percpu"));
  // A heading, then for each CPU its number, user and system.
  const rows = (files.text("cpuacct.usage_all") ?? "").split("\n").slice(1).map(numbers);
  return {
    ...unlessZero("total", total),
    ...(percpu.length === 0 ? {} : { percpu }),
    ...(rows.length === 0
      ? {}
      : { percpu_kernel: rows.map((row) => row[2] ?? 0n), percpu_user: rows.map((row) => row[1] ?? 0n) }),
    kernel: system * TICK,
    user: user * TICK,
  };
}

function numbers(text: string | undefined): Count[] {
  return (text ?? "").split(/\s+/).filter(Boolean).map(BigInt);
}

const cpusetCounts = [
  "mem_hardwall",
  "mem_exclusive",
  "memory_migrate",
  "memory_spread_page",
  "memory_spread_slab",
  "memory_pressure",
  "sched_load_balance",
  "sched_relax_domain_level",
] as const;

/** Of a directory without cpuset files, and with v2, every flag is zero. */
export function v1Cpuset(files: Files): CgroupStats["cpuset"] {
  const count = (name: string): Count => files.count(`cpuset.${name}`) ?? 0n;
  const [cpus = [], mems = []] = ["cpuset.cpus", "cpuset.mems"].map((name) => numbersOf(files.text(name) ?? ""));
  return {
    ...(cpus.length === 0 ? {} : { cpus }),
    cpu_exclusive: count("cpu_exclusive"),
    ...(mems.length === 0 ? {} : { mems }),
    ...Object.fromEntries(cpusetCounts.map((name) => [name, count(name)])),
  };
}
