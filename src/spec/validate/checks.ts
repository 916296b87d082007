import { deviceNodes, hooks } from "./devices.ts";
import { idMappings, rootlessNeedsUser, userNamespaceMappings } from "./id-mappings.ts";
import { bindOptions, idMappedMounts, mountDestinations, mountSources, root, rootlessMountOwners } from "./mounts.ts";
import {
  hiddenPathsNeedMount,
  hostnameNeedsUts,
  namespaceList,
  netDevices,
  personality,
  timeOffsets,
} from "./namespaces.ts";
import type { Check } from "./problem.ts";
import { procMounts } from "./proc-mounts.ts";
import {
  annotations,
  capabilityNames,
  capabilitySets,
  consoleSize,
  oomScore,
  processCommand,
  rlimits,
  specVersion,
  umask,
} from "./process.ts";
import {
  blockIo,
  cpuBandwidth,
  cpusets,
  deviceRules,
  hugepages,
  memoryLimits,
  networkPriorities,
  rdma,
  swapNeedsLimit,
  unified,
} from "./resources.ts";
import { cpuAffinity, intelRdt, ioPriority, memoryPolicy, scheduler } from "./scheduling.ts";
import { seccompNames, seccompNotify, seccompReturns } from "./seccomp.ts";
import { sysctls } from "./sysctls.ts";

/** The rules of a process alone, also of one that is added to a container. */
export const processChecks: Readonly<Record<string, Check>> = {
  processCommand,
  consoleSize,
  umask,
  capabilityNames,
  capabilitySets,
  rlimits,
  oomScore,
  scheduler,
  ioPriority,
  cpuAffinity,
};

/** Every rule by its name, in the order in which they are applied. */
export const checks: Readonly<Record<string, Check>> = {
  specVersion,
  annotations,
  root,
  ...processChecks,
  namespaceList,
  userNamespaceMappings,
  idMappings,
  rootlessNeedsUser,
  hostnameNeedsUts,
  hiddenPathsNeedMount,
  timeOffsets,
  personality,
  netDevices,
  sysctls,
  mountDestinations,
  mountSources,
  bindOptions,
  procMounts,
  idMappedMounts,
  rootlessMountOwners,
  deviceNodes,
  memoryLimits,
  swapNeedsLimit,
  cpuBandwidth,
  cpusets,
  blockIo,
  hugepages,
  rdma,
  networkPriorities,
  deviceRules,
  unified,
  seccompNames,
  seccompReturns,
  seccompNotify,
  memoryPolicy,
  intelRdt,
  hooks,
};
