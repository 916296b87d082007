import { expect, test } from "bun:test";
import { base, findings, linux, map, matches, mount, type Row, resources, seccomp, unbroken } from "./check-harness.ts";
import { checks } from "./checks.ts";

const rows: readonly Row[] = [
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
    resources({
      devices: [{ allow: true, type: "d" as "a", access: "rx" }, { allow: false }, { allow: false, access: "rwa" }],
    }),
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
    "blockIo",
    resources({
      blockIO: {
        weightDevice: [
          { major: 8, minor: 0 },
          { major: 8, minor: 0, leafWeight: 7 },
        ],
      },
    }),
    ["blockIO.weightDevice[0]: needs weight or leafWeight", "blockIO.weightDevice[1].leafWeight: between 10"],
  ],
  [
    "procMounts",
    mount(
      { destination: "/proc", type: "bind", source: "/volume" },
      { destination: "/proc/self/attr", type: "tmpfs" },
      { destination: "proc/../proc/./sys", source: "/volume", options: ["rbind"] },
      { destination: "/proc/", type: "tmpfs" },
    ),
    [
      "mounts[0].destination: not of type proc",
      "mounts[1].destination: inside /proc",
      "mounts[2].destination: inside /proc",
      "mounts[3].destination: not of type proc",
    ],
    { isProcfs: () => false },
  ],
  [
    "procMounts",
    mount(
      { destination: "/proc", type: "proc" },
      { destination: "/proc", type: "none", source: "/proc", options: ["rbind"] },
      { destination: "/proc/uptime", type: "bind", source: "/lxcfs/uptime" },
      { destination: "/procedures", type: "tmpfs" },
    ),
    [],
  ],
  [
    "rdma",
    resources({ rdma: { mlx: {}, "a\nb": { hcaHandles: 1 } } }),
    ["rdma.mlx: needs hcaHandles or hcaObjects", 'rdma["a\\nb"]: not the name of a device'],
  ],
  [
    "networkPriorities",
    resources({
      network: {
        priorities: [
          { name: "eth0", priority: 1 },
          { name: "e 0", priority: 1 },
        ],
      },
    }),
    ["network.priorities[1].name: not the name"],
  ],
  [
    "seccompReturns",
    seccomp({
      defaultErrnoRet: 1,
      syscalls: [
        { names: ["a"], action: "SCMP_ACT_ERRNO", errnoRet: 4096 },
        { names: ["a"], action: "SCMP_ACT_TRACE", errnoRet: 65535 },
        { names: ["a"], action: "SCMP_ACT_KILL", errnoRet: 0 },
      ],
    }),
    [
      "seccomp.defaultErrnoRet: SCMP_ACT_ALLOW returns no error number",
      "syscalls[0].errnoRet: at most 4095",
      "syscalls[2].errnoRet: SCMP_ACT_KILL returns no error number",
    ],
  ],
  [
    "intelRdt",
    linux({ intelRdt: { l3CacheSchema: "L3:0=f\nx", memBwSchema: "L3:0=f" } }),
    ["intelRdt.l3CacheSchema: must be one line", "intelRdt.memBwSchema: begins with MB:"],
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
      "defaultAction: SCMP_ACT_NOTIFY cannot be used as default action",
      "syscalls[0].action: SCMP_ACT_NOTIFY cannot be used for the write syscall",
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
      "memoryPolicy.mode: invalid memory policy mode",
      "memoryPolicy.nodes: invalid memory policy nodes",
      "memoryPolicy.flags[0]: invalid memory policy flag",
    ],
  ],
  ["memoryPolicy", linux({ memoryPolicy: {} }), ['memoryPolicy.mode: invalid memory policy mode ""']],
  [
    "memoryPolicy",
    linux({ memoryPolicy: { mode: "MPOL_DEFAULT", nodes: "0-7,3" } }),
    ["memoryPolicy.nodes: requires 0 nodes but got 8"],
  ],
  [
    "memoryPolicy",
    linux({ memoryPolicy: { mode: "MPOL_LOCAL", nodes: "0" } }),
    ["memoryPolicy.nodes: requires 0 nodes but got 1"],
  ],
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

test.each(rows.map((row) => [row] as const))("%j", (row) => {
  const found = findings(row);
  const [, , expected] = row;
  const isRight = found.length === expected.length && found.every((one, index) => matches(one, expected[index] ?? ""));
  if (!isRight) expect(found).toEqual([...expected]);
});

/** Rules of processes and namespaces, whose rows are in process-checks.test.ts. */
const elsewhere = [
  "annotations",
  "capabilityNames",
  "capabilitySets",
  "consoleSize",
  "cpuAffinity",
  "hiddenPathsNeedMount",
  "hostnameNeedsUts",
  "idMappings",
  "ioPriority",
  "namespaceList",
  "netDevices",
  "oomScore",
  "personality",
  "processCommand",
  "rlimits",
  "root",
  "rootlessNeedsUser",
  "scheduler",
  "specVersion",
  "timeOffsets",
  "umask",
  "userNamespaceMappings",
];

test("every rule is broken by some row, and none by the base", () => {
  const here = Object.keys(checks).filter((name) => !elsewhere.includes(name));
  expect(unbroken(here, rows)).toEqual([]);
  for (const name of Object.keys(checks)) expect(findings([name, base, []])).toEqual([]);
});
