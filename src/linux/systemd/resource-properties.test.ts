import { expect, test } from "bun:test";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { cpusetBits } from "./cpuset-bits.ts";
import { type DbusValue, variant } from "./dbus/types.ts";
import { deviceProperties } from "./device-properties.ts";
import { withoutIdleWeight } from "./idle-weight.ts";
import { resourceProperties, roundedQuota, type Target } from "./resource-properties.ts";
import { oomPolicy } from "./unified-properties.ts";

const INFINITY = 2n ** 64n - 1n;
const v2 = { cgroups: 2, version: 252 } as const;
const v1 = { cgroups: 1, version: 252 } as const;

/** Names and bare values. */
function plain(resources: ResourcesConfig, target: typeof v1 | typeof v2): Record<string, DbusValue> {
  return Object.fromEntries(resourceProperties(resources, target).map(([name, { value }]) => [name, value]));
}

const MIB = 2 ** 20;

test("limits of v2", () => {
  const resources = {
    memory: { limit: 64 * MIB, swap: 96 * MIB, reservation: 32 * MIB },
    cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: "0-1,9", mems: "0" },
    pids: { limit: -1 },
  };
  expect(plain(resources, v2)).toEqual({
    MemoryMax: 64 * MIB,
    MemoryLow: 32 * MIB,
    MemorySwapMax: 32 * MIB,
    CPUWeight: 100,
    CPUQuotaPeriodUSec: 100_000,
    CPUQuotaPerSecUSec: 500_000,
    TasksMax: INFINITY,
    AllowedCPUs: new Uint8Array([3, 2]),
    AllowedMemoryNodes: new Uint8Array([1]),
  });
});

test("no limit of memory is none of swap either", () => {
  expect(plain({ memory: { limit: -1 } }, v2)).toEqual({ MemoryMax: INFINITY, MemorySwapMax: INFINITY });
});

test("limits of v1 have other names", () => {
  const resources = { memory: { limit: MIB }, cpu: { shares: 7 }, blockIO: { weight: 100 }, pids: { limit: 0 } };
  expect(plain(resources, v1)).toEqual({ MemoryLimit: MIB, CPUShares: 7, BlockIOWeight: 100, TasksMax: 1 });
});

test("an idle cgroup has no weight; an older systemd does not know it", () => {
  expect(plain({ cpu: { idle: 1, shares: 1024 } }, v2)).toEqual({ CPUWeight: 0 });
  const old = resourceProperties({ cpu: { idle: 1, shares: 1024, cpus: "0" } }, { cgroups: 2, version: 243 });
  expect(old).toEqual([["CPUWeight", variant("t", 100)]]);
});

test("the weight of a cgroup that becomes idle is left out, and that is told", () => {
  const told: string[] = [];
  const less = (resources: ResourcesConfig, target: Target = v2) =>
    withoutIdleWeight(resources, target, (message) => told.push(message));
  expect(less({ cpu: { idle: 1, shares: 200, quota: 5 } })).toEqual({ cpu: { idle: 1, quota: 5 } });
  expect(less({ unified: { "cpu.idle": "1", "cpu.weight": "8" } })).toEqual({ unified: { "cpu.idle": "1" } });
  expect(told).toEqual([
    "unable to apply both CPUWeight and CpuIdle to systemd, ignoring CPUWeight",
    "unable to apply both cpu.weight and cpu.idle to systemd, ignoring cpu.weight",
  ]);
  for (const all of [{ cpu: { idle: 0, shares: 200 } }, { cpu: { idle: 1 } }, { unified: { "cpu.weight": "8" } }, {}]) {
    expect(less(all)).toBe(all);
  }
  const both = { cpu: { idle: 1, shares: 200 } };
  expect(less(both, { cgroups: 2, version: 251 })).toBe(both);
  expect(told).toHaveLength(2);
});

test("quotas are hundredths of a CPU, for systemd and beside it", () => {
  expect(plain({ cpu: { quota: 12_345 } }, v2)).toEqual({ CPUQuotaPerSecUSec: 130_000 });
  expect(roundedQuota({ cpu: { quota: 12_345 } })).toEqual({ cpu: { quota: 13_000 } });
  expect(plain({ cpu: { quota: -1 } }, v2)).toEqual({ CPUQuotaPerSecUSec: INFINITY });
  const exact = { cpu: { quota: 10_000, period: 50_000 } };
  expect(roundedQuota(exact)).toBe(exact);
});

test("files of v2 by their names", () => {
  const unified = {
    "cpu.max": "max 5000",
    "cpu.weight": "3",
    "memory.high": "max",
    "memory.min": "4096",
    "pids.max": "0",
    "cpuset.mems": "0",
    "io.max": "8:0 rbps=1",
  };
  expect(plain({ unified }, v2)).toEqual({
    CPUQuotaPeriodUSec: 5000,
    CPUQuotaPerSecUSec: INFINITY,
    CPUWeight: 3n,
    MemoryHigh: INFINITY,
    MemoryMin: 4096n,
    TasksMax: 1,
    AllowedMemoryNodes: new Uint8Array([1]),
  });
  expect(() => plain({ unified: { "memory.high": "lots" } }, v2)).toThrow("must be a number or max");
  expect(oomPolicy({ "memory.oom.group": "1" }, { cgroups: 2, version: 253 })).toEqual([
    ["OOMPolicy", variant("s", "kill")],
  ]);
  expect(oomPolicy({ "memory.oom.group": "1" }, v2)).toEqual([]);
});

test("lists of CPUs as bits", () => {
  expect(cpusetBits("0,2-3, 8")).toEqual(new Uint8Array([0x0d, 1]));
  for (const wrong of ["", "a", "3-1", "1-", "-1", "123456"]) expect(() => cpusetBits(wrong)).toThrow(RangeError);
});

test("device rules as paths; what systemd cannot say is left out", () => {
  const rules = [
    { allow: false, access: "rwm" },
    { allow: true, type: "b", major: 8, minor: 0, access: "r" },
    { allow: true, type: "c", major: 188, access: "rw" },
    { allow: true, type: "c", minor: 3, access: "r" },
  ] as const;
  const [none, policy, allowed] = deviceProperties(rules);
  expect(none).toEqual(["DeviceAllow", variant("a(ss)", [])]);
  expect(policy).toEqual(["DevicePolicy", variant("s", "strict")]);
  const entries = (allowed?.[1].value ?? []) as readonly DbusValue[];
  for (const one of [
    ["/dev/block/8:0", "r"],
    ["char-188", "rw"],
    ["/dev/char/1:3", "rwm"],
    ["char-136", "rwm"],
    ["block-*", "m"],
  ]) {
    expect(entries).toContainEqual(one);
  }
  expect(JSON.stringify(entries)).not.toContain(':3","r"');
  expect(deviceProperties([{ allow: true, access: "rwm" }])[1]).toEqual(["DevicePolicy", variant("s", "auto")]);
});
