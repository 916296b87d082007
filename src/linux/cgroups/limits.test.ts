import { expect, test } from "bun:test";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { blkioWeightToIoWeight, cpuSharesToWeight, decimal, swapAlone } from "./convert.ts";
import { v1Limits } from "./v1-limits.ts";
import { v2Limits } from "./v2-limits.ts";

type Current = Readonly<Record<string, string>>;
const tables = { 1: v1Limits, 2: v2Limits } as const;

function writes(version: 1 | 2, controller: string, resources: ResourcesConfig, current: Current = {}): string[] {
  const limits = tables[version][controller]!;
  return limits(resources, (file) => current[file]).map(
    ({ file, value, tolerate }) => `${file}${tolerate === undefined ? "" : "?"} ${value}`,
  );
}

test("shares become the weights that runc and crun compute", () => {
  const pairs = [
    [1, 1],
    [2, 1],
    [512, 59],
    [1024, 100],
    [2048, 174],
    [262_144, 10_000],
    [300_000, 10_000],
  ] as const;
  for (const [shares, weight] of pairs) expect([shares, cpuSharesToWeight(shares)]).toEqual([shares, weight]);
});

test("blkio weights are stretched linearly", () => {
  expect([10, 500, 1000].map(blkioWeightToIoWeight)).toEqual([1, 4950, 10_000]);
});

test("swap alone is the joint limit less memory", () => {
  expect(swapAlone(300, 100)).toBe(200);
  expect(swapAlone(100, 100)).toBe(0);
  expect(swapAlone(-1, 100)).toBe(-1);
  expect(swapAlone(undefined, 100)).toBeUndefined();
  expect(swapAlone(undefined, -1)).toBe(-1);
  expect(swapAlone(50, -1)).toBe(50);
  expect(() => swapAlone(50, 100)).toThrow("must not be lower than the memory limit");
  expect(() => swapAlone(50, undefined)).toThrow("a swap limit needs a memory limit");
});

test("large numbers keep all their digits", () => {
  expect(decimal(2 ** 63)).toBe("9223372036854775808");
  expect(decimal(1e21)).toBe("1000000000000000000000");
});

const v1Cases: readonly [string, ResourcesConfig, string[], Current?][] = [
  ["memory", { memory: { limit: 5, swap: 9 } }, ["memory.limit_in_bytes 5", "memory.memsw.limit_in_bytes 9"]],
  [
    "memory",
    { memory: { limit: 5, swap: 9 } },
    ["memory.memsw.limit_in_bytes 9", "memory.limit_in_bytes 5"],
    { "memory.limit_in_bytes": "4\n" },
  ],
  [
    "memory",
    { memory: { limit: 5, swap: 9 } },
    ["memory.limit_in_bytes 5", "memory.memsw.limit_in_bytes 9"],
    { "memory.limit_in_bytes": "20\n" },
  ],
  ["memory", { memory: { limit: -1 } }, ["memory.memsw.limit_in_bytes? -1", "memory.limit_in_bytes -1"]],
  [
    "memory",
    { memory: { limit: 0, swappiness: 0, reservation: 7 } },
    ["memory.soft_limit_in_bytes 7", "memory.swappiness 0"],
  ],
  ["memory", { memory: { kernel: 5, kernelTCP: 6 } }, []],
  [
    "cpu",
    { cpu: { quota: 2, period: 3, burst: 1 } },
    ["cpu.cfs_period_us 3", "cpu.cfs_quota_us 2", "cpu.cfs_burst_us 1"],
  ],
  [
    "cpu",
    { cpu: { quota: 2, period: 3, burst: 1 } },
    ["cpu.cfs_burst_us? 1", "cpu.cfs_period_us? 3", "cpu.cfs_quota_us 2", "cpu.cfs_period_us 3", "cpu.cfs_burst_us 1"],
    { "cpu.cfs_quota_us": "-1" },
  ],
  ["cpu", { cpu: { quota: -1, idle: 1 } }, ["cpu.cfs_quota_us -1", "cpu.idle 1"]],
  ["cpu", { cpu: { realtimePeriod: 9, realtimeRuntime: 8 } }, ["cpu.rt_period_us 9", "cpu.rt_runtime_us 8"]],
  ["pids", { pids: { limit: 0 } }, ["pids.max 1"]],
  ["pids", { pids: { limit: -1 } }, ["pids.max max"]],
  [
    "blkio",
    {
      blockIO: {
        weight: 300,
        weightDevice: [{ major: 8, minor: 1, weight: 20 }],
        throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1000 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 0 }],
      },
    },
    [
      "blkio.bfq.weight 300",
      "blkio.bfq.weight_device 8:1 20",
      "blkio.throttle.read_bps_device 8:0 1000",
      "blkio.throttle.write_iops_device 8:0 0",
    ],
  ],
  [
    "hugetlb",
    { hugepageLimits: [{ pageSize: "2MB", limit: 4 }] },
    ["hugetlb.2MB.limit_in_bytes 4", "hugetlb.2MB.rsvd.limit_in_bytes? 4"],
  ],
  ["net_cls", { network: { classID: 1048577 } }, ["net_cls.classid 1048577"]],
  ["net_prio", { network: { priorities: [{ name: "eth0", priority: 2 }] } }, ["net_prio.ifpriomap eth0 2"]],
  [
    "rdma",
    { rdma: { mlx: { hcaHandles: 3 }, other: { hcaHandles: 1, hcaObjects: 2 } } },
    ["rdma.max mlx hca_handle=3", "rdma.max other hca_handle=1 hca_object=2"],
  ],
];

test.each(v1Cases)("v1 %s %j", (...[controller, resources, expected, current]) => {
  expect(writes(1, controller, resources, current)).toEqual(expected);
});

const v2Cases: readonly [string, ResourcesConfig, string[], Current?][] = [
  ["memory", { memory: { limit: 5, swap: 5 } }, ["memory.swap.max? 0", "memory.max 5"]],
  ["memory", { memory: { limit: -1 } }, ["memory.swap.max? max", "memory.max max"]],
  ["memory", { memory: { swap: 9 } }, ["memory.swap.max 5"], { "memory.max": "4\n" }],
  ["memory", { memory: { swap: 9 } }, ["memory.swap.max 9"], { "memory.max": "max\n" }],
  ["memory", { memory: { limit: 6 } }, ["memory.max 6"], { "memory.max": "4\n" }],
  ["memory", { memory: { reservation: 6, swappiness: 5, disableOOMKiller: true } }, ["memory.low 6"]],
  ["cpu", { cpu: { quota: 5 } }, ["cpu.max 5 100000"]],
  ["cpu", { cpu: { quota: -1, period: 50000 } }, ["cpu.max max 50000"]],
  ["cpu", { cpu: { period: 50000 } }, ["cpu.max 700 50000"], { "cpu.max": "700 100000\n" }],
  ["cpu", { cpu: { quota: 5, burst: 2 } }, ["cpu.max 5 100000", "cpu.max.burst 2"]],
  [
    "cpu",
    { cpu: { quota: 5, burst: 2 } },
    ["cpu.max.burst? 2", "cpu.max 5 300", "cpu.max.burst 2"],
    { "cpu.max": "9 300" },
  ],
  ["cpu", { cpu: { shares: 1024, idle: 1 } }, ["cpu.weight 100", "cpu.idle 1"]],
  ["cpu", { cpu: { shares: 1024, idle: 0 } }, ["cpu.idle 0", "cpu.weight 100"]],
  ["cpuset", { cpu: { cpus: "0-1", mems: "0" } }, ["cpuset.cpus 0-1", "cpuset.mems 0"]],
  ["io", { blockIO: { weight: 500 } }, ["io.bfq.weight? 500", "io.weight? 4950"]],
  ["io", { blockIO: { weight: 500 } }, ["io.weight 4950"], { "io.weight": "default 100" }],
  [
    "io",
    { blockIO: { weightDevice: [{ major: 8, minor: 0, weight: 10 }] } },
    ["io.bfq.weight 8:0 10"],
    { "io.bfq.weight": "100" },
  ],
  [
    "io",
    {
      blockIO: {
        throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 5 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 0 }],
      },
    },
    ["io.max 8:0 rbps=5", "io.max 8:0 wiops=max"],
  ],
  ["hugetlb", { hugepageLimits: [{ pageSize: "1GB", limit: 0 }] }, ["hugetlb.1GB.max 0", "hugetlb.1GB.rsvd.max? 0"]],
];

test.each(v2Cases)("v2 %s %j", (...[controller, resources, expected, current]) => {
  expect(writes(2, controller, resources, current)).toEqual(expected);
});

test("what the kernel would bend or cannot do is refused", () => {
  expect(() => writes(1, "cpu", { cpu: { shares: 1 } })).toThrow("the minimum allowed cpu-shares is 2");
  expect(() => writes(1, "cpu", { cpu: { shares: 262_145 } })).toThrow("the maximum allowed cpu-shares is 262144");
  expect(() => writes(2, "cpu", { cpu: { realtimeRuntime: 5 } })).toThrow("no limits of real-time scheduling");
});
