/** Rules about cgroup resources: ranges that the kernel refuses, and values that contradict each other. */

import { isNumberList } from "../number-list.ts";
import type { DeviceRule, ResourcesConfig } from "../runtime.ts";
import { type Check, error, keyed, type Problem, type ValidationContext, when } from "./problem.ts";

const field = "linux.resources";

type ResourceCheck = (resources: ResourcesConfig, context: ValidationContext) => readonly Problem[];

function onResources(check: ResourceCheck): Check {
  return ({ linux }, context) => (linux?.resources === undefined ? [] : check(linux.resources, context));
}

/** Zero is "not set" throughout, -1 "unlimited". */
export const memoryLimits = onResources(({ memory = {} }) => {
  const { limit = 0, swap = 0, reservation = 0, swappiness = 0 } = memory;
  const below = (value: number): boolean => value < -1;
  return [
    ...when(below(limit), error(`${field}.memory.limit`, `must be at least -1 (unlimited), is ${limit}`)),
    ...when(below(swap), error(`${field}.memory.swap`, `must be at least -1 (unlimited), is ${swap}`)),
    ...when(
      below(reservation),
      error(`${field}.memory.reservation`, `must be at least -1 (unlimited), is ${reservation}`),
    ),
    ...when(
      swap > 0 && limit > swap,
      error(
        `${field}.memory.swap`,
        `the limit of memory and swap together (${swap}) is below that of memory (${limit})`,
      ),
    ),
    ...when(
      reservation > 0 && limit > 0 && reservation > limit,
      error(`${field}.memory.reservation`, `is above the limit of ${limit}`),
    ),
    ...when(swappiness > 100, error(`${field}.memory.swappiness`, `must be between 0 and 100, is ${swappiness}`)),
  ];
});

/** v2 has a limit for swap alone, which is only known beside one for memory. */
export const swapNeedsLimit = onResources(({ memory = {} }, { cgroups }) => {
  const { limit = 0, swap = 0 } = memory;
  return when(
    cgroups === "v2" && swap > 0 && limit === 0,
    error(`${field}.memory.swap`, "needs memory.limit beside it on cgroup v2"),
  );
});

/** Periods of 1 ms to 1 s, quotas of at least 1 ms (sched-bwc.rst). */
export const cpuBandwidth = onResources(({ cpu = {} }) => {
  const { period = 0, quota = 0, burst = 0, idle = 0, realtimePeriod = 0, realtimeRuntime = 0 } = cpu;
  return [
    ...when(
      period !== 0 && (period < 1000 || period > 1_000_000),
      error(`${field}.cpu.period`, `must be between 1000 and 1000000 microseconds, is ${period}`),
    ),
    ...when(quota > 0 && quota < 1000, error(`${field}.cpu.quota`, `must be at least 1000 microseconds, is ${quota}`)),
    ...when(burst > 0 && quota > 0 && burst > quota, error(`${field}.cpu.burst`, `is above the quota of ${quota}`)),
    ...when(idle !== 0 && idle !== 1, error(`${field}.cpu.idle`, `must be 0 or 1, is ${idle}`)),
    ...when(
      realtimePeriod > 0 && realtimeRuntime > realtimePeriod,
      error(`${field}.cpu.realtimeRuntime`, `is above the period of ${realtimePeriod}`),
    ),
  ];
});

/** CPUs and memory nodes in the kernel's list format. */
export const cpusets = onResources(({ cpu = {} }) =>
  (["cpus", "mems"] as const).flatMap((name) => {
    const value = cpu[name] ?? "";
    return when(
      value !== "" && !isNumberList(value),
      error(`${field}.cpu.${name}`, `is not a list of numbers: ${JSON.stringify(value)}`, "write it as 0-3,7"),
    );
  }),
);

function isWeight(value: number): boolean {
  return value === 0 || (value >= 10 && value <= 1000);
}

/** Weights of 10 to 1000; rates are not negative. */
export const blockIo = onResources(({ blockIO = {} }) => [
  ...(["weight", "leafWeight"] as const).flatMap((name) => {
    const value = blockIO[name] ?? 0;
    return when(!isWeight(value), error(`${field}.blockIO.${name}`, `must be between 10 and 1000, is ${value}`));
  }),
  ...(blockIO.weightDevice ?? []).flatMap((device, index) =>
    deviceWeights(device, `${field}.blockIO.weightDevice[${index}]`),
  ),
]);

type Weights = { readonly weight?: number; readonly leafWeight?: number };

function deviceWeights(device: Weights, place: string): readonly Problem[] {
  return [
    ...when(device.weight === undefined && device.leafWeight === undefined, error(place, "needs weight or leafWeight")),
    ...(["weight", "leafWeight"] as const).flatMap((name) => {
      const value = device[name] ?? 0;
      return when(!isWeight(value), error(`${place}.${name}`, `must be between 10 and 1000, is ${value}`));
    }),
  ];
}

/** An entry limits handles, objects or both, of a device whose name is one word in the kernel's file. */
export const rdma = onResources(({ rdma: devices = {} }) =>
  Object.entries(devices).flatMap(([name, { hcaHandles, hcaObjects }]) => [
    ...when(!isWord(name), error(keyed(`${field}.rdma`, name), "is not the name of a device")),
    ...when(
      hcaHandles === undefined && hcaObjects === undefined,
      error(keyed(`${field}.rdma`, name), "needs hcaHandles or hcaObjects"),
    ),
  ]),
);

/** Priorities are written beside the name of their interface, which is one word. */
export const networkPriorities = onResources(({ network = {} }) =>
  (network.priorities ?? []).flatMap(({ name }, index) =>
    when(!isWord(name), error(`${field}.network.priorities[${index}].name`, "is not the name of a network interface")),
  ),
);

function isWord(name: string): boolean {
  return /^[^\s/]+$/.test(name);
}

/** Sizes as the kernel names its files: 64KB, 2MB, 1GB. */
export const hugepages = onResources(({ hugepageLimits = [] }) =>
  hugepageLimits.flatMap(({ pageSize }, index) =>
    when(
      !/^[1-9][0-9]{0,3}[KMG]B$/.test(pageSize),
      error(
        `${field}.hugepageLimits[${index}].pageSize`,
        `is not a page size: ${JSON.stringify(pageSize)}`,
        "write it as 2MB",
      ),
    ),
  ),
);

/** A rule is for `a`, `b` or `c` devices, and says what it allows or denies. */
export const deviceRules = onResources(({ devices = [] }) =>
  devices.flatMap((rule, index) => deviceRuleProblems(rule, `${field}.devices[${index}]`)),
);

/** A letter that stands for nothing is harmless where it is refused, and other runtimes pass over it. */
function deviceRuleProblems({ allow, type, access = "" }: DeviceRule, place: string): readonly Problem[] {
  return [
    ...when(
      type !== undefined && !["a", "b", "c"].includes(type),
      error(`${place}.type`, `unknown device type ${JSON.stringify(type)}`, "use a, b or c"),
    ),
    ...when(access === "", error(`${place}.access`, "must not be empty", "use the letters r, w and m")),
    ...when(
      allow && !/^[rwm]*$/.test(access),
      error(`${place}.access`, `unknown access ${JSON.stringify(access)}`, "use the letters r, w and m"),
    ),
  ];
}

/** Files of v2, one name each. */
export const unified = onResources(({ unified: files = {} }, { cgroups }) =>
  Object.keys(files).flatMap((name) => [
    ...when(
      cgroups !== undefined && cgroups !== "v2",
      error(keyed(`${field}.unified`, name), "invalid configuration: unified resources need cgroup v2"),
    ),
    ...when(
      !/^[^./]+\.[^/]+$/.test(name),
      error(keyed(`${field}.unified`, name), "must be a file name of the form CONTROLLER.PARAMETER"),
    ),
  ]),
);
