import type { ResourceRequest } from "../../engine/types.ts";
import { UsageError } from "../usage-error.ts";
import { compact, given } from "./compact.ts";
import type { ContainerValues } from "./spec.ts";

/** The limits that a command line asks for; empty where it asks for none. */
export function resourceRequest(values: ContainerValues): ResourceRequest {
  const pids = values["pids-limit"];
  return compact<ResourceRequest>({
    memory: given(values.memory),
    memoryReservation: given(values["memory-reservation"]),
    memorySwap: given(values["memory-swap"]),
    memorySwappiness: swappiness(values["memory-swappiness"]),
    oomKillDisable: given(values["oom-kill-disable"]),
    nanoCpus: given(values.cpus),
    cpuShares: given(values["cpu-shares"]),
    cpuPeriod: given(values["cpu-period"]),
    cpuQuota: given(values["cpu-quota"]),
    cpusetCpus: given(values["cpuset-cpus"]),
    cpusetMems: given(values["cpuset-mems"]),
    pidsLimit: pids !== undefined && pids > 0 ? pids : undefined,
    blkioWeight: given(values["blkio-weight"]),
  });
}

function swappiness(value: number | undefined): number | undefined {
  if (value === undefined || value === -1) return undefined;
  if (value >= 0 && value <= 100) return value;
  throw new UsageError(`invalid value: ${value}. Valid memory swappiness range is 0-100`, 125, true);
}
