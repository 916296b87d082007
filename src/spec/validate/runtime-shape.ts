/** The types of config.json (runtime-spec 1.3, config.md and config-linux.md), for the parts that the Linux runtime reads. */
import { exactU64, flag, i32, i64, list, object, oneOf, record, type Shape, text, u16, u32, u64 } from "./shape.ts";

const mapping = object({ "containerID!": u32, "hostID!": u32, "size!": u32 });
const device = { "major!": i64, "minor!": i64 };

const process = object({
  terminal: flag,
  consoleSize: object({ "height!": u64, "width!": u64 }),
  user: object({ uid: u32, gid: u32, umask: u32, additionalGids: list(u32) }),
  args: list(text),
  env: list(text),
  "cwd!": text,
  capabilities: object({
    bounding: list(text),
    effective: list(text),
    inheritable: list(text),
    permitted: list(text),
    ambient: list(text),
  }),
  rlimits: list(object({ "type!": text, "soft!": u64, "hard!": u64 })),
  noNewPrivileges: flag,
  apparmorProfile: text,
  selinuxLabel: text,
  oomScoreAdj: i32,
  scheduler: object({
    "policy!": text,
    nice: i32,
    priority: i32,
    flags: list(text),
    runtime: u64,
    deadline: u64,
    period: u64,
  }),
  ioPriority: object({ "class!": text, priority: i32 }),
  execCPUAffinity: object({ initial: text, final: text }),
});

const hook = object({ "path!": text, args: list(text), env: list(text), timeout: i64 });
const hooks = object({
  prestart: list(hook),
  createRuntime: list(hook),
  createContainer: list(hook),
  startContainer: list(hook),
  poststart: list(hook),
  poststop: list(hook),
});

const throttle = list(object({ ...device, "rate!": u64 }));

const resources = object({
  devices: list(object({ "allow!": flag, type: text, major: i64, minor: i64, access: text })),
  memory: object({
    limit: i64,
    reservation: i64,
    swap: i64,
    kernel: i64,
    kernelTCP: i64,
    swappiness: u64,
    disableOOMKiller: flag,
    useHierarchy: flag,
    checkBeforeUpdate: flag,
  }),
  cpu: object({
    shares: u64,
    quota: i64,
    burst: u64,
    period: u64,
    realtimeRuntime: i64,
    realtimePeriod: u64,
    cpus: text,
    mems: text,
    idle: i64,
  }),
  pids: object({ limit: i64 }),
  blockIO: object({
    weight: u16,
    leafWeight: u16,
    weightDevice: list(object({ ...device, weight: u16, leafWeight: u16 })),
    throttleReadBpsDevice: throttle,
    throttleWriteBpsDevice: throttle,
    throttleReadIOPSDevice: throttle,
    throttleWriteIOPSDevice: throttle,
  }),
  hugepageLimits: list(object({ "pageSize!": text, "limit!": u64 })),
  network: object({ classID: u32, priorities: list(object({ "name!": text, "priority!": u32 })) }),
  rdma: record(object({ hcaHandles: u32, hcaObjects: u32 })),
  unified: record(text),
});

const seccomp = object({
  "defaultAction!": text,
  defaultErrnoRet: u32,
  architectures: list(text),
  flags: list(text),
  listenerPath: text,
  listenerMetadata: text,
  syscalls: list(
    object({
      "names!": list(text),
      "action!": text,
      errnoRet: u32,
      args: list(object({ "index!": u32, "value!": exactU64, valueTwo: exactU64, "op!": text })),
    }),
  ),
});

const linux = object({
  namespaces: list(object({ "type!": text, path: text })),
  uidMappings: list(mapping),
  gidMappings: list(mapping),
  timeOffsets: record(object({ secs: i64, nanosecs: u32 })),
  devices: list(
    object({
      "type!": oneOf("c", "b", "u", "p"),
      "path!": text,
      major: i64,
      minor: i64,
      fileMode: u32,
      uid: u32,
      gid: u32,
    }),
  ),
  cgroupsPath: text,
  resources,
  rootfsPropagation: text,
  seccomp,
  sysctl: record(text),
  maskedPaths: list(text),
  readonlyPaths: list(text),
  mountLabel: text,
  intelRdt: object({
    closID: text,
    schemata: list(text),
    l3CacheSchema: text,
    memBwSchema: text,
    enableMonitoring: flag,
  }),
  memoryPolicy: object({ mode: text, nodes: text, flags: list(text) }),
  personality: object({ "domain!": text, flags: list(text) }),
  netDevices: record(object({ name: text })),
});

/** A whole configuration. */
export const runtimeShape: Shape = object({
  "ociVersion!": text,
  hostname: text,
  domainname: text,
  process,
  root: object({ "path!": text, readonly: flag }),
  mounts: list(
    object({
      "destination!": text,
      type: text,
      source: text,
      options: list(text),
      uidMappings: list(mapping),
      gidMappings: list(mapping),
    }),
  ),
  hooks,
  annotations: record(text),
  linux,
});

/** A process alone, as `exec --process` takes it. */
export const processShape: Shape = process;

/** Resources alone, as `update --resources` takes them. */
export const resourcesShape: Shape = resources;
