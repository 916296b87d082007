import { expect, test } from "bun:test";
import type { LinuxConfig, ProcessConfig, ResourcesConfig, RuntimeConfig, SeccompConfig } from "../runtime.ts";
import { checks } from "./checks.ts";
import type { ValidationContext, Vocabulary } from "./problem.ts";

const vocabulary: Vocabulary = {
  isCapability: (name) => name === "CAP_CHOWN" || name === "CAP_KILL",
  isRlimit: (type) => type === "RLIMIT_NOFILE" || type === "RLIMIT_CORE",
  isMountWord: (option) => ["bind", "rbind", "ro", "nosuid", "idmap", "ridmap"].includes(option),
  seccompActions: ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_NOTIFY"],
  seccompOperators: ["SCMP_CMP_EQ"],
  seccompArchitectures: ["SCMP_ARCH_X86_64"],
  seccompFlags: ["SECCOMP_FILTER_FLAG_LOG"],
};

const base: RuntimeConfig = {
  ociVersion: "1.2.1",
  root: { path: "rootfs" },
  process: { args: ["sh"], cwd: "/", user: { uid: 0, gid: 0 } },
  linux: {
    namespaces: [{ type: "mount" }, { type: "uts" }, { type: "ipc" }, { type: "network" }, { type: "pid" }],
  },
};

const process = (part: Partial<ProcessConfig>): RuntimeConfig => ({ ...base, process: { ...base.process!, ...part } });
const linux = (part: Partial<LinuxConfig>): RuntimeConfig => ({ ...base, linux: { ...base.linux, ...part } });
const resources = (part: ResourcesConfig): RuntimeConfig => linux({ resources: part });
const seccomp = (part: Partial<SeccompConfig>): RuntimeConfig =>
  linux({ seccomp: { defaultAction: "SCMP_ACT_ALLOW", ...part } });
const mount = (...mounts: NonNullable<RuntimeConfig["mounts"]>): RuntimeConfig => ({ ...base, mounts });
const map = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
const user = { type: "user" } as const;

type Context = Partial<ValidationContext>;
/** Rule, configuration, what it finds as `field: part of the message` (a warning begins with `~`), context. */
type Row = readonly [keyof typeof checks & string, RuntimeConfig, readonly string[], Context?];

const rows: readonly Row[] = [
  ["specVersion", { ...base, ociVersion: "2.0.0" }, ['ociVersion: version "2.0.0" is not supported']],
  ["specVersion", { ...base, ociVersion: "one" }, ["ociVersion: not supported"]],
  ["specVersion", { ...base, ociVersion: "1.0.2-dev" }, []],
  ["root", { ociVersion: "1.0.0" }, ["root: is required"]],
  ["root", { ...base, root: { path: "" } }, ["root.path: must not be empty"]],
  ["root", linux({ rootfsPropagation: "public" }), ['linux.rootfsPropagation: unknown propagation "public"']],
  ["root", linux({ rootfsPropagation: "rslave" }), []],
  ["processCommand", { ociVersion: "1.0.0" }, ["process: is required"]],
  ["processCommand", process({ args: [] }), ["process.args: must name a command"]],
  ["processCommand", process({ args: ["", "x"] }), ["process.args[0]: must not be empty"]],
  ["processCommand", process({ cwd: "home" }), ["process.cwd: must be an absolute path"]],
  [
    "processCommand",
    process({ env: ["A=1", "B", "=C"] }),
    ["process.env[1]: NAME=value", "process.env[2]: NAME=value"],
  ],
  ["umask", process({ user: { uid: 0, gid: 0, umask: 0o1000 } }), ["process.user.umask: at most 0777"]],
  [
    "capabilityNames",
    process({ capabilities: { bounding: ["CAP_CHOWN", "CAP_X"] } }),
    ['~process.capabilities.bounding[1]: unknown capability "CAP_X"'],
  ],
  [
    "capabilitySets",
    process({ capabilities: { effective: ["CAP_KILL"], permitted: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"] } }),
    [
      "process.capabilities.effective[0]: not among the permitted",
      "~process.capabilities.ambient[0]: cannot be ambient",
    ],
  ],
  [
    "rlimits",
    process({ rlimits: [{ type: "RLIMIT_X", soft: 0, hard: 0 }] }),
    ['process.rlimits[0].type: unknown limit "RLIMIT_X"'],
  ],
  [
    "rlimits",
    process({
      rlimits: [
        { type: "RLIMIT_CORE", soft: 0, hard: 0 },
        { type: "RLIMIT_CORE", soft: 0, hard: 0 },
      ],
    }),
    ["process.rlimits[1].type: RLIMIT_CORE is there already"],
  ],
  [
    "rlimits",
    process({
      rlimits: [
        { type: "RLIMIT_CORE", soft: 2, hard: 1 },
        { type: "RLIMIT_NOFILE", soft: -1, hard: 1 },
      ],
    }),
    ["process.rlimits[0].soft: 2 is above the hard limit 1", "process.rlimits[1].soft: -1 is above"],
  ],
  [
    "rlimits",
    process({
      rlimits: [
        { type: "RLIMIT_CORE", soft: 5, hard: -1 },
        { type: "RLIMIT_NOFILE", soft: 2 ** 64, hard: 2 ** 64 },
      ],
    }),
    [],
  ],
  ["oomScore", process({ oomScoreAdj: -1001 }), ["process.oomScoreAdj: between -1000 and 1000"]],
  ["oomScore", process({ oomScoreAdj: 1000 }), []],
  ["scheduler", process({ scheduler: { policy: "SCHED_X" } }), ['process.scheduler.policy: unknown policy "SCHED_X"']],
  [
    "scheduler",
    process({ scheduler: { policy: "SCHED_OTHER", nice: 20 } }),
    ["process.scheduler.nice: between -20 and 19"],
  ],
  [
    "scheduler",
    process({ scheduler: { policy: "SCHED_BATCH", priority: 1 } }),
    ["process.scheduler.priority: SCHED_FIFO and SCHED_RR only"],
  ],
  [
    "scheduler",
    process({ scheduler: { policy: "SCHED_FIFO", priority: 100 } }),
    ["process.scheduler.priority: between 1 and 99"],
  ],
  [
    "scheduler",
    process({ scheduler: { policy: "SCHED_RR", priority: 5, runtime: 5 } }),
    ["process.scheduler: SCHED_DEADLINE only"],
  ],
  [
    "scheduler",
    process({ scheduler: { policy: "SCHED_OTHER", flags: ["X"] } }),
    ['process.scheduler.flags[0]: unknown flag "X"'],
  ],
  [
    "scheduler",
    process({
      scheduler: { policy: "SCHED_DEADLINE", runtime: 1, deadline: 2, period: 3, flags: ["SCHED_FLAG_RECLAIM"] },
    }),
    [],
  ],
  [
    "ioPriority",
    process({ ioPriority: { class: "BE", priority: 8 } }),
    ['process.ioPriority.class: unknown class "BE"', "process.ioPriority.priority: between 0 and 7"],
  ],
  ["ioPriority", process({ ioPriority: { class: "IOPRIO_CLASS_BE", priority: 4 } }), []],
  [
    "cpuAffinity",
    process({ execCPUAffinity: { initial: "0-", final: "0-3,7" } }),
    ["process.execCPUAffinity.initial: not a list of CPUs"],
  ],
  [
    "namespaceList",
    linux({ namespaces: [{ type: "disk" as "pid" }] }),
    ['linux.namespaces[0].type: unknown namespace "disk"'],
  ],
  [
    "namespaceList",
    linux({ namespaces: [{ type: "pid" }, { type: "pid" }] }),
    ["linux.namespaces[1].type: the namespace pid is there already"],
  ],
  [
    "namespaceList",
    linux({ namespaces: [{ type: "pid", path: "proc/1" }] }),
    ["linux.namespaces[0].path: absolute path"],
  ],
  [
    "userNamespaceMappings",
    linux({ namespaces: [user] }),
    ["linux.uidMappings: at least one", "linux.gidMappings: at least one"],
  ],
  [
    "userNamespaceMappings",
    linux({ uidMappings: [map(0, 0, 1)] }),
    ["linux.uidMappings: the container has no user namespace"],
  ],
  ["userNamespaceMappings", linux({ namespaces: [{ ...user, path: "/proc/1/ns/user" }] }), []],
  ["idMappings", linux({ uidMappings: [map(0, 1000, 0)] }), ["linux.uidMappings[0].size: must not be 0"]],
  [
    "idMappings",
    linux({ gidMappings: [map(0, 2 ** 32 - 1, 2)] }),
    ["linux.gidMappings[0]: beyond the last ID outside"],
  ],
  ["idMappings", linux({ gidMappings: [map(2 ** 32 - 1, 0, 2)] }), ["linux.gidMappings[0]: beyond the last ID inside"]],
  [
    "idMappings",
    linux({ uidMappings: [map(10, 0, 10), map(0, 100, 11)] }),
    ["linux.uidMappings[0].containerID: overlaps with linux.uidMappings[1]"],
  ],
  [
    "idMappings",
    linux({ uidMappings: Array.from({ length: 341 }, (_, index) => map(index, index, 1)) }),
    ["linux.uidMappings: the kernel takes 340"],
  ],
  ["rootlessNeedsUser", base, ["linux.namespaces: needs a user namespace"], { rootless: true }],
  ["rootlessNeedsUser", base, []],
  [
    "hostnameNeedsUts",
    { ...linux({ namespaces: [] }), hostname: "h", domainname: "d" },
    ["hostname: without a UTS namespace", "domainname: without a UTS"],
  ],
  ["hostnameNeedsUts", { ...base, hostname: "h".repeat(65) }, ["hostname: not be longer than 64 bytes"]],
  [
    "hiddenPathsNeedMount",
    linux({ namespaces: [], maskedPaths: ["/x"] }),
    ["linux.maskedPaths: without a mount namespace"],
  ],
  ["hiddenPathsNeedMount", linux({ readonlyPaths: ["/x", "y"] }), ["linux.readonlyPaths[1]: absolute path"]],
  ["timeOffsets", linux({ timeOffsets: { monotonic: { secs: 1 } } }), ["linux.timeOffsets: without a time namespace"]],
  [
    "timeOffsets",
    linux({ namespaces: [{ type: "time", path: "/x" }], timeOffsets: {} }),
    ["linux.timeOffsets: joined by its path"],
  ],
  [
    "timeOffsets",
    linux({ namespaces: [{ type: "time" }], timeOffsets: { realtime: {}, boottime: { nanosecs: 1e9 } } }),
    [
      "linux.timeOffsets.realtime: only monotonic and boottime",
      "linux.timeOffsets.boottime.nanosecs: less than a second",
    ],
  ],
  [
    "personality",
    linux({ personality: { domain: "BSD", flags: ["X"] } }),
    ['linux.personality.domain: unknown domain "BSD"', "linux.personality.flags: no flags"],
  ],
  ["personality", linux({ personality: { domain: "LINUX32" } }), []],
  [
    "netDevices",
    linux({ namespaces: [], netDevices: { eth0: {} } }),
    ["linux.netDevices: without a network namespace"],
  ],
  ["netDevices", linux({ netDevices: { eth0: {} } }), ["linux.netDevices: rootless"], { rootless: true }],
  [
    "netDevices",
    linux({ netDevices: { "a/b": { name: "ok" }, eth1: { name: "." }, eth2: { name: "ok" } } }),
    [
      'linux.netDevices["a/b"]: not the name',
      "linux.netDevices.eth1.name: not the name",
      "linux.netDevices.eth2.name: called ok too",
    ],
  ],
  [
    "sysctls",
    linux({
      sysctl: { "net.ipv4.ip_forward": "1", "kernel.shmmax": "5", "kernel.sem": "1 2 3 4", "fs/mqueue/msg_max": "3" },
    }),
    [],
  ],
  ["sysctls", linux({ sysctl: { "net/ipv4/conf/eth0.1/forwarding": "1", "kernel.domainname": "x" } }), []],
  [
    "sysctls",
    linux({ namespaces: [], sysctl: { "kernel.msgmax": "1" } }),
    ['linux.sysctl["kernel.msgmax"]: the host\'s ipc namespace'],
  ],
  [
    "sysctls",
    linux({ sysctl: { "kernel.core_pattern": "|/x" } }),
    ['linux.sysctl["kernel.core_pattern"]: not in a separate kernel namespace'],
  ],
  ["sysctls", linux({ sysctl: { "kernel.hostname": "x" } }), ["conflicts with the field hostname"]],
  ["sysctls", linux({ sysctl: { "user.max_user_namespaces": "1" } }), ["the host's user namespace"]],
  ["sysctls", linux({ sysctl: { "net.x/../../../kernel.y": "1" } }), ["not the name of a sysctl"]],
  [
    "sysctls",
    linux({ sysctl: { "net..x": "1", "net/../kernel/core_pattern": "x" } }),
    ["not the name of a sysctl", "not the name of a sysctl"],
  ],
  [
    "sysctls",
    linux({ sysctl: { "kernel.shm_rmid_forced": "2", "kernel.sem": "1 2", "kernel.shmmni": "1k" } }),
    ["takes 0 or 1", "takes four numbers", "takes a number"],
  ],
  ["sysctls", linux({ sysctl: { "net.a": "1\n2", "net.b": "" } }), ["more than one line", "has no value"]],
  [
    "sysctls",
    linux({ namespaces: [{ type: "network", path: "/own" }], sysctl: { "net.a": "1" } }),
    ["the host's network namespace"],
    { isOwnNetwork: (path) => path === "/own" },
  ],
  [
    "mountDestinations",
    mount({ destination: "", type: "tmpfs" }, { destination: "tmp", type: "tmpfs" }),
    ["mounts[0].destination: not be empty", "~mounts[1].destination: deprecated"],
  ],
  [
    "mountSources",
    mount({ destination: "/a", type: "bind" }, { destination: "/b", source: "x" }),
    ["mounts[0].source: needs a source", "mounts[1].type: is required"],
  ],
  [
    "mountSources",
    mount({ destination: "/a", source: "/x", options: ["rbind"] }, { destination: "/b", type: "proc" }),
    [],
  ],
  [
    "bindOptions",
    mount({ destination: "/a", type: "bind", source: "/", options: ["ro,nosuid", "size=1"] }),
    ['mounts[0].options[1]: the file system option "size=1"'],
  ],
  ["bindOptions", mount({ destination: "/a", type: "tmpfs", options: ["size=1"] }), []],
  [
    "idMappedMounts",
    mount({ destination: "/a", type: "tmpfs", uidMappings: [map(0, 1, 1)] }),
    ["mounts[0]: only be mapped on bind", "mounts[0].gidMappings: beside uidMappings"],
  ],
  [
    "idMappedMounts",
    mount({ destination: "/a", type: "bind", options: ["idmap"] }),
    ["mounts[0].options: there is none"],
  ],
  [
    "idMappedMounts",
    mount({ destination: "/a", type: "bind", uidMappings: [map(0, 1, 0)], gidMappings: [map(0, 1, 1)] }),
    ["mounts[0]: a rootless runtime", "mounts[0].uidMappings[0].size: not be 0"],
    { rootless: true },
  ],
  [
    "rootlessMountOwners",
    {
      ...linux({ uidMappings: [map(0, 1000, 1)], gidMappings: [map(0, 1000, 10)] }),
      mounts: [{ destination: "/a", type: "tmpfs", options: ["uid=1", "gid=5"] }],
    },
    ["mounts[0].options[0]: uid=1 is not mapped"],
    { rootless: true },
  ],
  [
    "deviceNodes",
    linux({ devices: [{ type: "c", path: "dev/x", major: 1, minor: -1 }] }),
    ["linux.devices[0].path: absolute path", "linux.devices[0].minor: minor number"],
  ],
  [
    "deviceNodes",
    linux({
      devices: [
        { type: "p", path: "/f" },
        { type: "p", path: "/f" },
      ],
    }),
    ["~linux.devices[1].path: /f is there already"],
  ],
  [
    "memoryLimits",
    resources({ memory: { limit: -2, swap: -5, reservation: -3, swappiness: 101 } }),
    [
      "memory.limit: at least -1",
      "memory.swap: at least -1",
      "memory.reservation: at least -1",
      "memory.swappiness: between 0 and 100",
    ],
  ],
  [
    "memoryLimits",
    resources({ memory: { limit: 10, swap: 5, reservation: 20 } }),
    ["memory.swap: (5) is below that of memory (10)", "memory.reservation: above the limit of 10"],
  ],
  ["memoryLimits", resources({ memory: { limit: -1, swap: -1, swappiness: 0 } }), []],
  ["swapNeedsLimit", resources({ memory: { swap: 5 } }), ["memory.swap: needs memory.limit"], { cgroups: "v2" }],
  ["swapNeedsLimit", resources({ memory: { swap: 5 } }), [], { cgroups: "v1" }],
  [
    "cpuBandwidth",
    resources({ cpu: { period: 999, quota: 999, idle: 2 } }),
    ["cpu.period: between 1000", "cpu.quota: at least 1000", "cpu.idle: must be 0 or 1"],
  ],
  [
    "cpuBandwidth",
    resources({ cpu: { quota: 1000, burst: 1001, realtimePeriod: 5, realtimeRuntime: 6 } }),
    ["cpu.burst: above the quota", "cpu.realtimeRuntime: above the period"],
  ],
  ["cpuBandwidth", resources({ cpu: { quota: -1, period: 100_000 } }), []],
  [
    "cpusets",
    resources({ cpu: { cpus: "3-1", mems: "0,x" } }),
    ["cpu.cpus: not a list of numbers", "cpu.mems: not a list of numbers"],
  ],
  ["cpusets", resources({ cpu: { cpus: "0-3,7,9-15:2/4", mems: "0" } }), []],
  [
    "blockIo",
    resources({ blockIO: { weight: 9, leafWeight: 1001, weightDevice: [{ major: 8, minor: 0, weight: 5 }] } }),
    ["blockIO.weight: between 10", "blockIO.leafWeight: between 10", "blockIO.weightDevice[0].weight: between 10"],
  ],
  [
    "hugepages",
    resources({
      hugepageLimits: [
        { pageSize: "2M", limit: 1 },
        { pageSize: "1GB", limit: 1 },
      ],
    }),
    ['hugepageLimits[0].pageSize: not a page size: "2M"'],
  ],
  [
    "deviceRules",
    resources({ devices: [{ allow: true, type: "d" as "a", access: "rx" }, { allow: false }] }),
    [
      'devices[0].type: unknown device type "d"',
      'devices[0].access: unknown access "rx"',
      "devices[1].access: not be empty",
    ],
  ],
  ["unified", resources({ unified: { "memory.max": "1" } }), ["need cgroup v2"], { cgroups: "hybrid" }],
  [
    "unified",
    resources({ unified: { "../memory.max": "1", memory: "1", "cpu.max.burst": "1" } }),
    ["CONTROLLER.PARAMETER", "CONTROLLER.PARAMETER"],
    { cgroups: "v2" },
  ],
  [
    "seccompNames",
    seccomp({ defaultAction: "X", architectures: ["Y"], flags: ["Z"] }),
    ['defaultAction: unknown action "X"', 'architectures[0]: unknown architecture "Y"', 'flags[0]: unknown flag "Z"'],
  ],
  [
    "seccompNames",
    seccomp({ syscalls: [{ names: [], action: "X", args: [{ index: 6, value: 0, op: "Y" }] }] }),
    [
      "syscalls[0].names: name system calls",
      "syscalls[0].action: unknown action",
      "syscalls[0].args[0].index: no argument 6",
      "syscalls[0].args[0].op: unknown operator",
    ],
  ],
  [
    "seccompNotify",
    seccomp({
      defaultAction: "SCMP_ACT_NOTIFY",
      listenerMetadata: "x",
      syscalls: [{ names: ["write"], action: "SCMP_ACT_NOTIFY" }],
    }),
    [
      "defaultAction: cannot be the default",
      "syscalls[0].action: cannot be used for write",
      "listenerPath: required by",
      "listenerMetadata: needs listenerPath",
    ],
  ],
  [
    "seccompNotify",
    seccomp({ listenerPath: "x", syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] }),
    ["listenerPath: absolute path"],
  ],
  [
    "memoryPolicy",
    linux({ memoryPolicy: { mode: "MPOL_X", nodes: "a", flags: ["F"] } }),
    [
      "memoryPolicy.mode: unknown mode",
      "memoryPolicy.nodes: not a list of nodes",
      "memoryPolicy.flags[0]: unknown flag",
    ],
  ],
  ["memoryPolicy", linux({ memoryPolicy: { mode: "MPOL_LOCAL", nodes: "0" } }), ["memoryPolicy.nodes: takes no nodes"]],
  ["memoryPolicy", linux({ memoryPolicy: { mode: "MPOL_BIND" } }), ["memoryPolicy.nodes: at least one node"]],
  [
    "intelRdt",
    linux({ intelRdt: { closID: "../x", schemata: ["L3:0=f\nMB:0=10"] } }),
    ["intelRdt.closID: not a name", "intelRdt.schemata[0]: must be one line"],
  ],
  [
    "hooks",
    { ...base, hooks: { prestart: [{ path: "x", timeout: 0 }], poststop: [{ path: "/x", env: ["A"] }] } },
    [
      "hooks.prestart[0].path: absolute path",
      "hooks.prestart[0].timeout: more than 0",
      "hooks.poststop[0].env[0]: NAME=value",
    ],
  ],
];

test.each(rows.map((row) => [row] as const))("%j", ([name, config, expected, context = {}]) => {
  const found = checks[name]?.(config, { vocabulary, ...context }) ?? [];
  expect(found).toHaveLength(expected.length);
  for (const [index, { field, severity, message }] of found.entries()) {
    const [place = "", part] = (expected[index] ?? "").replace("~", "").split(/: (.*)/s);
    const isPart = part === undefined;
    expect(severity).toBe(expected[index]?.startsWith("~") ? "warning" : "error");
    if (!isPart) expect(field).toEndWith(place);
    expect(message).toContain(isPart ? place : part);
  }
});

test("every rule is broken by some row, and none by the base", () => {
  const broken = new Set(rows.filter(([, , expected]) => expected.length > 0).map(([name]) => name));
  expect([...broken].sort()).toEqual(Object.keys(checks).sort());
  for (const check of Object.values(checks)) expect(check(base, { vocabulary })).toEqual([]);
});
