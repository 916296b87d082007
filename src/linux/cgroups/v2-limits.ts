/** Resource limits as writes to cgroup v2 files (Documentation/admin-guide/cgroup-v2.rst). */
import { GalleyError } from "../../errors.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { errno } from "../errno.ts";
import { cpusetLimits, pidsLimits, rdmaLimits } from "./common-limits.ts";
import { blkioWeightToIoWeight, cpuSharesToWeight, decimal, limitOrMax, swapAlone } from "./convert.ts";
import { isSet, type Limits, limitWrite, type ReadCurrent } from "./limit-write.ts";
import type { FileWrite } from "./types.ts";

/** v2 has neither swappiness nor a switch for the OOM killer per cgroup; both are left, as by other runtimes. */
const memory: Limits = ({ memory: config = {} }, current) => {
  const limit = isSet(config.limit) ? config.limit : numberOf(current("memory.max"));
  const swap = swapAlone(config.swap, config.swap === undefined ? config.limit : limit);
  return [
    ...(swap === undefined ? [] : [swapWrite(swap)]),
    ...(isSet(config.limit) ? [limitWrite("memory.max", limitOrMax(config.limit), "memory.limit")] : []),
    ...(isSet(config.reservation)
      ? [limitWrite("memory.low", limitOrMax(config.reservation), "memory.reservation")]
      : []),
  ];
};

/** Without swap in the kernel there is no file; then no swap and unlimited swap are both what holds anyway. */
function swapWrite(swap: number): FileWrite {
  return limitWrite("memory.swap.max", limitOrMax(swap), "memory.swap", swap <= 0 ? [errno.ENOENT] : undefined);
}

/** `max` is -1. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return text.trim() === "max" ? -1 : Number(text);
}

/** An idle cgroup refuses a weight: the weight comes before idle is set, and after it is unset. */
const cpu: Limits = ({ cpu: config = {} }, current) => {
  refuseRealtime(config);
  const weight = isSet(config.shares) ? [limitWrite("cpu.weight", cpuSharesToWeight(config.shares), "cpu.shares")] : [];
  const idle = config.idle === undefined ? [] : [limitWrite("cpu.idle", config.idle, "cpu.idle")];
  const bandwidth = cpuMax(config, current);
  const burst = config.burst === undefined ? [] : [limitWrite("cpu.max.burst", config.burst, "cpu.burst")];
  const isOld = current("cpu.max") !== undefined;
  const attempt = isOld && bandwidth.length > 0 ? burst.map((one) => ({ ...one, tolerate: [errno.EINVAL] })) : [];
  return [...(config.idle === 0 ? [...idle, ...weight] : [...weight, ...idle]), ...attempt, ...bandwidth, ...burst];
};

function refuseRealtime(config: NonNullable<ResourcesConfig["cpu"]>): void {
  const field = isSet(config.realtimeRuntime) ? "realtimeRuntime" : "realtimePeriod";
  if (!isSet(config[field])) return;
  throw new GalleyError("failed_precondition", "cgroup v2 has no limits of real-time scheduling", {
    subject: `linux.resources.cpu.${field}`,
  });
}

/** Quota and period share a file; the one that is not given stays as it is. */
function cpuMax(config: NonNullable<ResourcesConfig["cpu"]>, current: ReadCurrent): FileWrite[] {
  if (!isSet(config.quota) && !isSet(config.period)) return [];
  const [quotaNow = "max", periodNow = "100000"] = (current("cpu.max") ?? "").trim().split(" ").filter(Boolean);
  const quota = isSet(config.quota) ? limitOrMax(config.quota) : quotaNow;
  const period = isSet(config.period) ? decimal(config.period) : periodNow;
  return [limitWrite("cpu.max", `${quota} ${period}`, isSet(config.quota) ? "cpu.quota" : "cpu.period")];
}

/**
 * Which weight counts depends on the disk's scheduler: BFQ has a file of its own, with v1's range. Where the cgroup can be looked
 * at, the one that is there is written; in a new one both are, and a missing one is left.
 */
const io: Limits = ({ blockIO: config = {} }, current) => {
  const both = ["io.bfq.weight", "io.weight"] as const;
  const there = both.filter((file) => current(file) !== undefined);
  const files = there.length === 0 ? both : [there[0] ?? "io.weight"];
  const weigh = (prefix: string, weight: number, cause: string): FileWrite[] =>
    files.map((file) => {
      const value = file === "io.weight" ? blkioWeightToIoWeight(weight) : weight;
      return limitWrite(file, `${prefix}${value}`, cause, files.length > 1 ? [errno.ENOENT] : undefined);
    });
  return [
    ...(isSet(config.weight) ? weigh("", config.weight, "blockIO.weight") : []),
    ...(config.weightDevice ?? []).flatMap(({ major, minor, weight }, index) =>
      isSet(weight) ? weigh(`${major}:${minor} `, weight, `blockIO.weightDevice[${index}].weight`) : [],
    ),
    ...throttleKeys.flatMap(([key, name]) =>
      (config[key] ?? []).map(({ major, minor, rate }, index) =>
        limitWrite(
          "io.max",
          `${major}:${minor} ${name}=${rate === 0 ? "max" : decimal(rate)}`,
          `blockIO.${key}[${index}]`,
        ),
      ),
    ),
  ];
};

const throttleKeys = [
  ["throttleReadBpsDevice", "rbps"],
  ["throttleWriteBpsDevice", "wbps"],
  ["throttleReadIOPSDevice", "riops"],
  ["throttleWriteIOPSDevice", "wiops"],
] as const;

/** Limits of reservations came with Linux 5.7. */
const hugetlb: Limits = ({ hugepageLimits = [] }) =>
  hugepageLimits.flatMap(({ pageSize, limit }, index) => [
    limitWrite(`hugetlb.${pageSize}.max`, limit, `hugepageLimits[${index}]`),
    limitWrite(`hugetlb.${pageSize}.rsvd.max`, limit, `hugepageLimits[${index}]`, [errno.ENOENT]),
  ]);

/** The writes of each v2 controller, in the order in which they are made. */
export const v2Limits: Readonly<Record<string, Limits>> = {
  cpuset: cpusetLimits,
  memory,
  cpu,
  pids: pidsLimits,
  io,
  hugetlb,
  rdma: rdmaLimits,
};
