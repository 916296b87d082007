/** Resource limits as writes to cgroup v1 files (Documentation/admin-guide/cgroup-v1). */

import { GalleyError } from "../../errors.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { errno } from "../errno.ts";
import { kernelAtLeast } from "../kernel-version.ts";
import { cpusetLimits, pidsLimits, rdmaLimits } from "./common-limits.ts";
import { decimal } from "./convert.ts";
import { isSet, type Limits, limitWrite } from "./limit-write.ts";
import type { FileWrite } from "./types.ts";

/**
 * The limit of memory and swap together may never be below that of memory: the order depends on which of them grows. A fresh
 * cgroup has none, so memory is first there.
 */
const memory: Limits = ({ memory: config = {} }, current) => {
  const limit = isSet(config.limit) ? [limitWrite("memory.limit_in_bytes", config.limit, "memory.limit")] : [];
  const swap = memoryAndSwap(config.limit, config.swap);
  const now = Number(current("memory.limit_in_bytes") ?? Number.POSITIVE_INFINITY);
  const swapFirst = config.swap === -1 || swap.length === 0 || now < (config.swap ?? -1) || config.limit === -1;
  return [
    ...(swapFirst ? [...swap, ...limit] : [...limit, ...swap]),
    ...(isSet(config.reservation)
      ? [limitWrite("memory.soft_limit_in_bytes", config.reservation, "memory.reservation")]
      : []),
    ...(config.disableOOMKiller === true ? [limitWrite("memory.oom_control", 1, "memory.disableOOMKiller")] : []),
    ...(config.swappiness === undefined || config.swappiness < 0
      ? []
      : [limitWrite("memory.swappiness", config.swappiness, "memory.swappiness")]),
  ];
};

/** Unlimited memory lifts the joint limit too; a kernel without swap accounting has no such file and nothing to lift. */
function memoryAndSwap(limit: number | undefined, swap: number | undefined): FileWrite[] {
  const file = "memory.memsw.limit_in_bytes";
  if (isSet(swap)) return [limitWrite(file, swap, "memory.swap", swap === -1 ? [errno.ENOENT] : undefined)];
  return limit === -1 ? [limitWrite(file, -1, "memory.limit", [errno.ENOENT])] : [];
}

/**
 * Period, quota and burst bound one another. In a new cgroup period, quota, burst is always right; in an old one each may have to
 * wait for another, so the first two are tried before the quota and again after it.
 */
const cpu: Limits = ({ cpu: config = {} }, current) => {
  const period = isSet(config.period) ? [limitWrite("cpu.cfs_period_us", config.period, "cpu.period")] : [];
  const quota = isSet(config.quota) ? [limitWrite("cpu.cfs_quota_us", config.quota, "cpu.quota")] : [];
  const burst = config.burst === undefined ? [] : [limitWrite("cpu.cfs_burst_us", config.burst, "cpu.burst")];
  const isOld = current("cpu.cfs_quota_us") !== undefined;
  const attempt = isOld && quota.length > 0 ? [...burst, ...period].map(tolerant) : [];
  return [
    ...cpuShares(config.shares),
    ...attempt,
    ...(isOld ? [...quota, ...period] : [...period, ...quota]),
    ...burst,
    ...(config.idle === undefined ? [] : [limitWrite("cpu.idle", config.idle, "cpu.idle")]),
    ...realtime(config, isOld),
  ];
};

function tolerant(one: FileWrite): FileWrite {
  return { ...one, tolerate: [errno.EINVAL] };
}

/** The kernel moves values outside its range to the nearest end without a word. */
function cpuShares(shares: number | undefined): FileWrite[] {
  if (!isSet(shares)) return [];
  const bound = shares < 2 ? "minimum allowed cpu-shares is 2" : "maximum allowed cpu-shares is 262144";
  if (shares >= 2 && shares <= 262_144) return [limitWrite("cpu.shares", shares, "cpu.shares")];
  throw new GalleyError("invalid_argument", `the ${bound}`, { subject: "linux.resources.cpu.shares" });
}

function realtime(config: NonNullable<ResourcesConfig["cpu"]>, isOld: boolean): FileWrite[] {
  const period = isSet(config.realtimePeriod)
    ? [limitWrite("cpu.rt_period_us", config.realtimePeriod, "cpu.realtimePeriod")]
    : [];
  if (!isSet(config.realtimeRuntime)) return period;
  const runtime = limitWrite("cpu.rt_runtime_us", config.realtimeRuntime, "cpu.realtimeRuntime");
  return isOld ? [...period.map(tolerant), runtime, ...period] : [...period, runtime];
}

/** The CFQ scheduler's files went with it in Linux 5.0; BFQ has its own. */
function weightFile(): string {
  return kernelAtLeast(5, 0) ? "blkio.bfq.weight" : "blkio.weight";
}

const blkio: Limits = ({ blockIO: config = {} }) => {
  const device = (one: { readonly major: number; readonly minor: number }, value: number): string =>
    `${one.major}:${one.minor} ${decimal(value)}`;
  const weights = (config.weightDevice ?? []).flatMap((one, index) => [
    ...(isSet(one.weight)
      ? [limitWrite(`${weightFile()}_device`, device(one, one.weight), `blockIO.weightDevice[${index}].weight`)]
      : []),
    ...(isSet(one.leafWeight)
      ? [
          limitWrite(
            "blkio.leaf_weight_device",
            device(one, one.leafWeight),
            `blockIO.weightDevice[${index}].leafWeight`,
          ),
        ]
      : []),
  ]);
  const throttles = throttleFiles.flatMap(([key, file]) =>
    (config[key] ?? []).map((one, index) => limitWrite(file, device(one, one.rate), `blockIO.${key}[${index}]`)),
  );
  return [
    ...(isSet(config.weight) ? [limitWrite(weightFile(), config.weight, "blockIO.weight")] : []),
    ...(isSet(config.leafWeight) ? [limitWrite("blkio.leaf_weight", config.leafWeight, "blockIO.leafWeight")] : []),
    ...weights,
    ...throttles,
  ];
};

const throttleFiles = [
  ["throttleReadBpsDevice", "blkio.throttle.read_bps_device"],
  ["throttleWriteBpsDevice", "blkio.throttle.write_bps_device"],
  ["throttleReadIOPSDevice", "blkio.throttle.read_iops_device"],
  ["throttleWriteIOPSDevice", "blkio.throttle.write_iops_device"],
] as const;

/** Limits of reservations came with Linux 5.7. */
const hugetlb: Limits = ({ hugepageLimits = [] }) =>
  hugepageLimits.flatMap(({ pageSize, limit }, index) => [
    limitWrite(`hugetlb.${pageSize}.limit_in_bytes`, limit, `hugepageLimits[${index}]`),
    limitWrite(`hugetlb.${pageSize}.rsvd.limit_in_bytes`, limit, `hugepageLimits[${index}]`, [errno.ENOENT]),
  ]);

const netCls: Limits = ({ network }) =>
  isSet(network?.classID) ? [limitWrite("net_cls.classid", network.classID, "network.classID")] : [];

const netPrio: Limits = ({ network }) =>
  (network?.priorities ?? []).map(({ name, priority }, index) =>
    limitWrite("net_prio.ifpriomap", `${name} ${priority}`, `network.priorities[${index}]`),
  );

/** The writes of each v1 controller, in the order in which they are made. */
export const v1Limits: Readonly<Record<string, Limits>> = {
  cpuset: cpusetLimits,
  memory,
  cpu,
  pids: pidsLimits,
  blkio,
  hugetlb,
  net_cls: netCls,
  net_prio: netPrio,
  rdma: rdmaLimits,
};
