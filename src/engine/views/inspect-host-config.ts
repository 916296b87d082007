import { capabilityName, capabilityNumber } from "../../linux/capabilities.ts";
import { DEFAULT_SHM_SIZE } from "../bundle/mounts.ts";
import { maskedPaths, readonlyPaths } from "../bundle/paths.ts";
import { securityOptions } from "../bundle/security.ts";
import type { ContainerSpec } from "../types.ts";
import { bindTexts, mountObjects, tmpfsTexts } from "./inspect-mounts.ts";

type Json = Readonly<Record<string, unknown>>;

/** What docker calls HostConfig: what was asked of the host for a container. What cannot be asked for has docker's empty value. */
export function hostConfig(spec: ContainerSpec, cgroupns: "private" | "host"): Json {
  const mounts = mountObjects(spec);
  const tmpfs = tmpfsTexts(spec);
  return {
    Binds: nullIfEmpty(bindTexts(spec)),
    ContainerIDFile: spec.cidFile ?? "",
    LogConfig: { Type: spec.logDriver ?? "json-file", Config: spec.logOptions ?? {} },
    NetworkMode: spec.network ?? "bridge",
    PortBindings: portBindings(spec),
    RestartPolicy: { Name: spec.restart?.name ?? "no", MaximumRetryCount: spec.restart?.maxRetries ?? 0 },
    AutoRemove: spec.autoRemove === true,
    VolumeDriver: "",
    VolumesFrom: null,
    ConsoleSize: [0, 0],
    ...(spec.annotations === undefined ? {} : { Annotations: spec.annotations }),
    CapAdd: nullIfEmpty(spec.capAdd?.map(capability)),
    CapDrop: nullIfEmpty(spec.capDrop?.map(capability)),
    CgroupnsMode: cgroupns,
    Dns: spec.dns ?? [],
    DnsOptions: spec.dnsOptions ?? [],
    DnsSearch: spec.dnsSearch ?? [],
    ExtraHosts: nullIfEmpty(spec.extraHosts),
    GroupAdd: nullIfEmpty(spec.groupAdd),
    IpcMode: spec.ipcMode || "private",
    Cgroup: "",
    Links: null,
    OomScoreAdj: spec.oomScoreAdj ?? 0,
    PidMode: spec.pidMode ?? "",
    Privileged: spec.privileged === true,
    PublishAllPorts: spec.publishAll === true,
    ReadonlyRootfs: spec.readonlyRootfs === true,
    SecurityOpt: nullIfEmpty(spec.securityOpt),
    ...(tmpfs === undefined ? {} : { Tmpfs: tmpfs }),
    UTSMode: spec.utsMode ?? "",
    UsernsMode: "",
    ShmSize: spec.shmSize || DEFAULT_SHM_SIZE,
    ...(spec.sysctls === undefined ? {} : { Sysctls: spec.sysctls }),
    Runtime: "galley",
    Isolation: "",
    ...limits(spec),
    ...(mounts.length === 0 ? {} : { Mounts: mounts }),
    ...pathsOf(spec),
    ...(spec.init === true ? { Init: true } : {}),
  };
}

function limits(spec: ContainerSpec): Json {
  const { resources = {} } = spec;
  return {
    CpuShares: resources.cpuShares ?? 0,
    Memory: resources.memory ?? 0,
    NanoCpus: resources.nanoCpus ?? 0,
    CgroupParent: spec.cgroupParent ?? "",
    BlkioWeight: resources.blkioWeight ?? 0,
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: [],
    BlkioDeviceWriteBps: [],
    BlkioDeviceReadIOps: [],
    BlkioDeviceWriteIOps: [],
    CpuPeriod: resources.cpuPeriod ?? 0,
    CpuQuota: resources.cpuQuota ?? 0,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: resources.cpusetCpus ?? "",
    CpusetMems: resources.cpusetMems ?? "",
    Devices: (spec.devices ?? []).map(({ hostPath, containerPath, access }) => ({
      PathOnHost: hostPath,
      PathInContainer: containerPath,
      CgroupPermissions: access,
    })),
    DeviceCgroupRules: nullIfEmpty(spec.deviceCgroupRules),
    DeviceRequests: null,
    MemoryReservation: resources.memoryReservation ?? 0,
    MemorySwap: resources.memorySwap ?? 0,
    MemorySwappiness: resources.memorySwappiness ?? null,
    OomKillDisable: resources.oomKillDisable === true,
    PidsLimit: resources.pidsLimit ?? null,
    Ulimits: (spec.ulimits ?? []).map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  };
}

function pathsOf(spec: ContainerSpec): Json {
  const open = spec.privileged === true || securityOptions(spec.securityOpt).openPaths;
  return { MaskedPaths: open ? null : maskedPaths(), ReadonlyPaths: open ? null : readonlyPaths };
}

function portBindings({ ports = [] }: ContainerSpec): Json {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, protocol, hostAddress = "", hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    bindings[key] ??= [];
    bindings[key].push({ HostIp: hostAddress, HostPort: hostPort === undefined ? "" : String(hostPort) });
  }
  return bindings;
}

/** As docker writes them, whatever the user wrote. */
function capability(name: string): string {
  const number = capabilityNumber(name);
  return number === undefined ? name.toUpperCase() : capabilityName(number);
}

function nullIfEmpty<T>(list: readonly T[] | undefined): readonly T[] | null {
  return list === undefined || list.length === 0 ? null : list;
}
