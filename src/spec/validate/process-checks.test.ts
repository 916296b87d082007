import { expect, test } from "bun:test";
import { base, findings, linux, map, matches, process, type Row, unbroken, user } from "./check-harness.ts";

const rows: readonly Row[] = [
  ["specVersion", { ...base, ociVersion: "2.0.0" }, ['ociVersion: version "2.0.0" is not supported']],
  ["specVersion", { ...base, ociVersion: "one" }, ["ociVersion: not supported"]],
  ["specVersion", { ...base, ociVersion: "1.3" }, ["ociVersion: not supported"]],
  ["specVersion", { ...base, ociVersion: "1.0.2-dev" }, []],
  ["specVersion", { ...base, ociVersion: "1.3.0+dev" }, []],
  ["annotations", { ...base, annotations: { "": "x" } }, ['annotations[""]: must not be empty']],
  [
    "consoleSize",
    process({ terminal: true, consoleSize: { height: 65536, width: 2 ** 40 } }),
    ["process.consoleSize.height: at most 65535", "process.consoleSize.width: at most 65535"],
  ],
  ["consoleSize", process({ terminal: false, consoleSize: { height: 65536, width: 1 } }), []],
  ["root", { ociVersion: "1.0.0" }, ["root: is required"]],
  ["root", { ...base, root: { path: "" } }, ["root.path: must not be empty"]],
  ["root", linux({ rootfsPropagation: "public" }), ['linux.rootfsPropagation: unknown propagation "public"']],
  ["root", linux({ rootfsPropagation: "rslave" }), []],
  ["processCommand", { ociVersion: "1.0.0" }, ["process: is required"]],
  ["processCommand", process({ args: [] }), ["process.args: args must not be empty"]],
  ["processCommand", process({ args: ["", "x"] }), ["process.args[0]: must not be empty"]],
  ["processCommand", process({ cwd: "home" }), ["process.cwd: must be an absolute path"]],
  [
    "processCommand",
    process({ env: ["A=1\n", "B", "=C", "D=\0"], args: ["a", "b\0c"] }),
    [
      "process.args[1]: nul byte",
      "process.env[1]: NAME=value",
      "process.env[2]: NAME=value",
      "process.env[3]: NAME=value",
    ],
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
      "~process.capabilities.ambient[0]: can't raise ambient capability CAP_CHOWN",
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
];

test.each(rows.map((row) => [row] as const))("%j", (row) => {
  const found = findings(row);
  const [, , expected] = row;
  const isRight = found.length === expected.length && found.every((one, index) => matches(one, expected[index] ?? ""));
  if (!isRight) expect(found).toEqual([...expected]);
});

test("every rule of this table is broken by some row", () => {
  expect(unbroken([...new Set(rows.map(([name]) => name))], rows)).toEqual([]);
});
