/** What a cgroup has used, in the shape of the data of runc's `events` (runc types/events.go), which monitors read. */

/** A counter of 64 bits: many are beyond what a number holds. Absent where it is zero, but where the field is not optional. */
export type Count = bigint;

export interface MemoryEntry {
  readonly limit: Count;
  readonly usage?: Count;
  readonly max?: Count;
  readonly failcnt: Count;
}

export interface BlkioEntry {
  readonly major?: Count;
  readonly minor?: Count;
  /** `Read`, `Write`, `Sync`, `Async`, `Discard`, `Total`. */
  readonly op?: string;
  readonly value?: Count;
}

/** One line of a pressure file (Documentation/accounting/psi.rst): averages in percent, the total in microseconds. */
export interface PressureLine {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly total: Count;
}

export interface Pressure {
  readonly some?: PressureLine;
  readonly full?: PressureLine;
}

/** Nanoseconds. */
export interface CpuUsage {
  readonly total?: Count;
  readonly percpu?: readonly Count[];
  readonly percpu_kernel?: readonly Count[];
  readonly percpu_user?: readonly Count[];
  readonly kernel: Count;
  readonly user: Count;
}

export interface CpuStats {
  readonly usage?: CpuUsage;
  readonly throttling?: { readonly periods?: Count; readonly throttledPeriods?: Count; readonly throttledTime?: Count };
  readonly psi?: Pressure;
}

export interface MemoryStats {
  readonly cache?: Count;
  readonly usage?: MemoryEntry;
  /** Memory and swap together. */
  readonly swap?: MemoryEntry;
  readonly kernel?: MemoryEntry;
  readonly kernelTCP?: MemoryEntry;
  /** Every line of memory.stat, sorted. */
  readonly raw?: Readonly<Record<string, Count>>;
  readonly psi?: Pressure;
}

export type BlkioTable =
  | "ioServiceBytesRecursive"
  | "ioServicedRecursive"
  | "ioQueueRecursive"
  | "ioServiceTimeRecursive"
  | "ioWaitTimeRecursive"
  | "ioMergedRecursive"
  | "ioTimeRecursive"
  | "sectorsRecursive";

export type BlkioStats = Readonly<Partial<Record<BlkioTable, readonly BlkioEntry[]>>> & { readonly psi?: Pressure };

export interface HugetlbEntry {
  readonly usage?: Count;
  readonly max?: Count;
  readonly failcnt: Count;
}

export interface CgroupStats {
  readonly cpu: CpuStats;
  /** v1's cpuset files; zero with v2, which has other ones. */
  readonly cpuset: Readonly<Record<string, Count | readonly number[]>>;
  readonly memory: MemoryStats;
  readonly pids: { readonly current?: Count; readonly limit?: Count };
  readonly blkio: BlkioStats;
  /** By page size, as `2MB`. */
  readonly hugetlb: Readonly<Record<string, HugetlbEntry>>;
}
