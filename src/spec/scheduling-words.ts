/** The words of scheduling and memory policy (runtime-spec config.md and config-linux.md), each with the kernel's number. */

const numbered = (prefix: string, names: readonly string[], value: (index: number) => number): Record<string, number> =>
  Object.fromEntries(names.map((name, index) => [prefix + name, value(index)]));

type Words = Readonly<Record<string, number>>;

/** process.scheduler.policy: sched(7). */
export const schedulerPolicies: Words = numbered(
  "SCHED_",
  ["OTHER", "FIFO", "RR", "BATCH", "ISO", "IDLE", "DEADLINE"],
  (index) => index,
);

/** process.scheduler.flags: the bits of sched_setattr(2). */
export const schedulerFlags: Words = numbered(
  "SCHED_FLAG_",
  ["RESET_ON_FORK", "RECLAIM", "DL_OVERRUN", "KEEP_POLICY", "KEEP_PARAMS", "UTIL_CLAMP_MIN", "UTIL_CLAMP_MAX"],
  (index) => 1 << index,
);

/** process.ioPriority.class: ioprio_set(2). */
export const ioClasses: Words = numbered("IOPRIO_CLASS_", ["RT", "BE", "IDLE"], (index) => index + 1);

/** linux.memoryPolicy.mode: set_mempolicy(2). */
export const memoryModes: Words = numbered(
  "MPOL_",
  ["DEFAULT", "PREFERRED", "BIND", "INTERLEAVE", "LOCAL", "PREFERRED_MANY", "WEIGHTED_INTERLEAVE"],
  (index) => index,
);

/** linux.memoryPolicy.flags: bits of the mode. */
export const memoryFlags: Words = numbered(
  "MPOL_F_",
  ["NUMA_BALANCING", "RELATIVE_NODES", "STATIC_NODES"],
  (index) => 1 << (13 + index),
);
