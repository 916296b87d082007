import type { DeviceRule, ResourcesConfig } from "../../spec/runtime.ts";
import type { ResourceRequest } from "../types.ts";

/** Microseconds in which `--cpus` counts. */
const PERIOD = 100_000;
const NANO = 1_000_000_000;

/** The limits of a container, as the runtime takes them; `request` was checked before. Only what is limited is there. */
export function resourcesOf(request: ResourceRequest, devices: readonly DeviceRule[]): ResourcesConfig {
  const memory = memoryOf(request);
  const cpu = cpuOf(request);
  const { pidsLimit = 0, blkioWeight = 0 } = request;
  return {
    devices,
    ...(isEmpty(memory) ? {} : { memory }),
    ...(isEmpty(cpu) ? {} : { cpu }),
    ...(pidsLimit > 0 ? { pids: { limit: pidsLimit } } : {}),
    ...(blkioWeight > 0 ? { blockIO: { weight: blkioWeight } } : {}),
  };
}

type Memory = NonNullable<ResourcesConfig["memory"]>;
type Cpu = NonNullable<ResourcesConfig["cpu"]>;

function memoryOf({
  memory,
  memoryReservation,
  memorySwap,
  memorySwappiness,
  oomKillDisable,
}: ResourceRequest): Memory {
  return {
    ...(memory ? { limit: memory } : {}),
    ...(memoryReservation ? { reservation: memoryReservation } : {}),
    ...(memorySwap ? { swap: memorySwap } : {}),
    ...(memorySwappiness === undefined || memorySwappiness < 0 ? {} : { swappiness: memorySwappiness }),
    ...(oomKillDisable ? { disableOOMKiller: true } : {}),
  };
}

function cpuOf({ nanoCpus, cpuShares, cpuPeriod, cpuQuota, cpusetCpus, cpusetMems }: ResourceRequest): Cpu {
  const share = nanoCpus ? { period: PERIOD, quota: Math.floor((nanoCpus * PERIOD) / NANO) } : {};
  return {
    ...share,
    ...(cpuShares ? { shares: cpuShares } : {}),
    ...(cpuPeriod ? { period: cpuPeriod } : {}),
    ...(cpuQuota ? { quota: cpuQuota } : {}),
    ...(cpusetCpus ? { cpus: cpusetCpus } : {}),
    ...(cpusetMems ? { mems: cpusetMems } : {}),
  };
}

function isEmpty(part: object): boolean {
  return Object.keys(part).length === 0;
}
