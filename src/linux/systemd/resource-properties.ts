/** Limits as properties of a unit (systemd.resource-control(5)), so that systemd keeps them when it writes its cgroups anew. */
import { GalleyError } from "../../errors.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { cpuSharesToWeight, swapAlone } from "../cgroups/convert.ts";
import { cpusetBits } from "./cpuset-bits.ts";
import { variant } from "./dbus/types.ts";
import { deviceProperties } from "./device-properties.ts";
import type { Property } from "./manager.ts";
import { unifiedProperties } from "./unified-properties.ts";

/** What decides which properties there are. */
export interface Target {
  /** 1 for v1 and hybrid. */
  readonly cgroups: 1 | 2;
  /** systemd's major version. */
  readonly version: number;
}

/** No limit, of any property that is a number. */
export const INFINITY = 2n ** 64n - 1n;

/** The kernel's period where none is set, in microseconds. */
const PERIOD = 100_000;

/** systemd counts quotas in hundredths of a CPU: microseconds in a second. */
const HUNDREDTH = 10_000;

/**
 * The properties of what resources set; what systemd has none for is written to the cgroup alone. Throws `invalid_argument` with the
 * field for a value that systemd would not understand.
 */
export function resourceProperties(resources: ResourcesConfig, target: Target): Property[] {
  const { devices, memory = {}, cpu = {}, pids = {}, blockIO = {}, unified = {} } = resources;
  return [
    ...(devices === undefined ? [] : deviceProperties(devices)),
    ...(target.cgroups === 2 ? memoryProperties(memory) : number("MemoryLimit", memory.limit)),
    ...shareProperties(cpu, target),
    ...quotaProperties(cpu.quota, cpu.period),
    ...(target.cgroups === 1 ? number("BlockIOWeight", blockIO.weight) : []),
    ...(pids.limit === undefined ? [] : number("TasksMax", pids.limit === 0 ? 1 : pids.limit)),
    ...setProperty("AllowedCPUs", cpu.cpus, "linux.resources.cpu.cpus", target),
    ...setProperty("AllowedMemoryNodes", cpu.mems, "linux.resources.cpu.mems", target),
    ...(target.cgroups === 2 ? unifiedProperties(unified, target) : []),
  ];
}

/** Resources with a CPU quota that systemd can say, rounded up: what it writes, and what is written beside it, must agree. */
export function roundedQuota(resources: ResourcesConfig): ResourcesConfig {
  const { quota = 0, period = PERIOD } = resources.cpu ?? {};
  const perSecond = Math.floor((quota * 1e6) / period);
  if (quota <= 0 || perSecond % HUNDREDTH === 0) return resources;
  const rounded = Math.ceil(perSecond / HUNDREDTH) * HUNDREDTH;
  return { ...resources, cpu: { ...resources.cpu, quota: Math.floor((rounded * period) / 1e6) } };
}

function memoryProperties(memory: NonNullable<ResourcesConfig["memory"]>): Property[] {
  const swap = swapAlone(memory.swap, memory.limit);
  return [
    ...number("MemoryMax", memory.limit),
    ...number("MemoryLow", memory.reservation),
    ...(swap === undefined ? [] : [["MemorySwapMax", variant("t", swap < 0 ? INFINITY : swap)] as const]),
  ];
}

/** A weight of 0 is systemd's word for an idle cgroup, since version 252. */
function shareProperties({ shares, idle }: NonNullable<ResourcesConfig["cpu"]>, target: Target): Property[] {
  if (target.cgroups === 1) return number("CPUShares", shares);
  if (idle === 1 && target.version >= 252) return [["CPUWeight", variant("t", 0)]];
  return shares === undefined || shares === 0 ? [] : number("CPUWeight", cpuSharesToWeight(shares));
}

/** Both in microseconds; zero or less of a quota is no quota. Period alone takes the quota away, as writing it so would. */
export function quotaProperties(quota = 0, period = 0): Property[] {
  if (quota === 0 && period === 0) return [];
  const perSecond = quota > 0 ? Math.ceil(Math.floor((quota * 1e6) / (period || PERIOD)) / HUNDREDTH) * HUNDREDTH : -1;
  return [...number("CPUQuotaPeriodUSec", period), ...number("CPUQuotaPerSecUSec", perSecond)];
}

/** Nothing for what is not set; -1 is no limit. */
export function number(name: string, value: number | undefined): Property[] {
  if (value === undefined || value === 0) return [];
  return [[name, variant("t", value < 0 ? INFINITY : value)]];
}

/** Since version 244. */
export function setProperty(name: string, list: string | undefined, subject: string, { version }: Target): Property[] {
  if (list === undefined || list.trim() === "" || version < 244) return [];
  try {
    return [[name, variant("ay", cpusetBits(list))]];
  } catch (cause) {
    throw new GalleyError("invalid_argument", (cause as Error).message, { subject, cause });
  }
}
