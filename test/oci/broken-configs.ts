/** Ways to break a config.json, and what is said of each: before anything is made. */
import type { Break, Broken } from "./broken-bundle.ts";

/** What is broken, how, and the message: the field, what is wrong with it, and what to do. */
export const brokenConfigs: readonly Break[] = [
  [
    "config.json is missing",
    (_, { remove }) => remove("config.json"),
    "JSON specification file BUNDLE/config.json not found (--bundle names a directory with config.json and a root file system)",
  ],
  [
    "config.json is no JSON",
    (_, { write }) => write("config.json", "{"),
    "read BUNDLE/config.json: is not JSON: JSON Parse error: Expected '}'",
  ],
  [
    "config.json is a list",
    (_, { write }) => write("config.json", "[]"),
    "validate BUNDLE/config.json: config.json: must be an object, is a list",
  ],
  ["no version", (config) => delete config.ociVersion, "validate BUNDLE/config.json: ociVersion: is required"],
  [
    "a version to come",
    (config) => (config.ociVersion = "2.0.0"),
    'validate ociVersion: version "2.0.0" is not supported (this runtime follows version 1: write 1.3.0)',
  ],
  [
    "a version that is none",
    (config) => (config.ociVersion = "latest"),
    'validate ociVersion: version "latest" is not supported (this runtime follows version 1: write 1.3.0)',
  ],
  [
    "a text for a list",
    ({ process }) => (process.args = "sh"),
    'validate BUNDLE/config.json: process.args: must be a list, is "sh"',
  ],
  [
    "a number for a text",
    (config) => (config.hostname = 5),
    "validate BUNDLE/config.json: hostname: must be a string, is 5",
  ],
  [
    "a fraction for a number",
    ({ process }) => (process.user.uid = 0.5),
    "validate BUNDLE/config.json: process.user.uid: must be an integer, is 0.5",
  ],
  [
    "a null in a list",
    ({ process }) => (process.env = ["A=b", null]),
    "validate BUNDLE/config.json: process.env[1]: must be a string, is null",
  ],
  [
    "a NUL byte",
    ({ process }) => (process.cwd = "/\0"),
    "validate BUNDLE/config.json: process.cwd: must not contain a NUL byte",
  ],
  [
    "a key that is empty",
    (config) => (config.annotations = { "": "x" }),
    'validate annotations[""]: a key must not be empty',
  ],
  ["no root", (config) => delete config.root, "validate root: is required"],
  [
    "no process",
    (config) => delete config.process,
    "validate process: is required: process property must not be empty",
  ],
  ["no command", ({ process }) => (process.args = []), "validate process.args: args must not be empty"],
  ["an empty command", ({ process }) => (process.args = [""]), "validate process.args[0]: must not be empty"],
  [
    "a relative working directory",
    ({ process }) => (process.cwd = "tmp"),
    "validate process.cwd: must be an absolute path",
  ],
  [
    "a variable without a value",
    ({ process }) => (process.env = ["PATH=/bin", "HOME"]),
    'validate process.env[1]: must be of the form NAME=value, is "HOME"',
  ],
  [
    "a user that is no number",
    ({ process }) => (process.user.uid = 4294967295),
    "process.user.uid: 4294967295 is no ID: use 0 to 4294967294",
  ],
  [
    "a mask that is none",
    ({ process }) => (process.user.umask = 4096),
    "validate process.user.umask: must be at most 0777",
  ],
  [
    "a terminal too wide",
    ({ process }) => Object.assign(process, { terminal: true, consoleSize: { height: 1, width: 99999 } }),
    "validate process.consoleSize.width: must be at most 65535, is 99999",
  ],
  [
    "a capability that is not permitted",
    ({ process }) => (process.capabilities = { effective: ["CAP_CHOWN"] }),
    "validate process.capabilities.effective[0]: CAP_CHOWN is not among the permitted ones",
  ],
  [
    "a limit that is none",
    ({ process }) => (process.rlimits = [{ type: "RLIMIT_FOO", soft: 1, hard: 1 }]),
    'validate process.rlimits[0].type: unknown limit "RLIMIT_FOO" (names begin with RLIMIT_, as RLIMIT_NOFILE)',
  ],
  [
    "a limit that is there twice",
    ({ process }) => (process.rlimits = [1, 2].map((soft) => ({ type: "RLIMIT_CORE", soft, hard: 5 }))),
    "validate process.rlimits[1].type: RLIMIT_CORE is there already",
  ],
  [
    "a soft limit above the hard one",
    ({ process }) => (process.rlimits = [{ type: "RLIMIT_CORE", soft: 6, hard: 5 }]),
    "validate process.rlimits[0].soft: 6 is above the hard limit 5",
  ],
  [
    "an OOM score out of range",
    ({ process }) => (process.oomScoreAdj = 1001),
    "validate process.oomScoreAdj: must be between -1000 and 1000, is 1001",
  ],
  [
    "a scheduling policy that is none",
    ({ process }) => (process.scheduler = { policy: "SCHED_FAST" }),
    'validate process.scheduler.policy: unknown policy "SCHED_FAST" (use one of SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_ISO, SCHED_IDLE, SCHED_DEADLINE)',
  ],
  [
    "a priority without its policy",
    ({ process }) => (process.scheduler = { policy: "SCHED_OTHER", priority: 5 }),
    "validate process.scheduler.priority: goes with SCHED_FIFO and SCHED_RR only",
  ],
  [
    "an I/O class that is none",
    ({ process }) => (process.ioPriority = { class: "BEST", priority: 9 }),
    'validate process.ioPriority.class: unknown class "BEST"; process.ioPriority.priority: must be between 0 and 7, is 9 (use one of IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE)',
  ],
  [
    "CPUs that are no list",
    ({ process }) => (process.execCPUAffinity = { initial: "0-" }),
    'validate process.execCPUAffinity.initial: is not a list of CPUs: "0-" (write it as 0-3,7)',
  ],
  [
    "a namespace that is none",
    ({ linux }) => linux.namespaces.splice(1, 0, { type: "disk" }),
    'validate linux.namespaces[1].type: unknown namespace "disk" (use one of pid, network, mount, ipc, uts, user, cgroup, time)',
  ],
  [
    "a namespace that is there twice",
    ({ linux }) => linux.namespaces.splice(1, 0, { type: "pid" }),
    "validate linux.namespaces[1].type: the namespace pid is there already, as number 0",
  ],
  [
    "a namespace by a relative path",
    ({ linux }) => (linux.namespaces[0].path = "proc/1/ns/pid"),
    "validate linux.namespaces[0].path: must be an absolute path",
  ],
  [
    "a hostname without its namespace",
    ({ linux }) => (linux.namespaces = linux.namespaces.filter(({ type }: Broken) => type !== "uts")),
    'validate hostname: cannot be set without a UTS namespace of the container\'s own (add {"type": "uts"} to linux.namespaces)',
  ],
  [
    "a hostname that is too long",
    (config) => (config.hostname = "h".repeat(65)),
    "validate hostname: must not be longer than 64 bytes",
  ],
  [
    "a user namespace without maps",
    ({ linux }) => linux.namespaces.push({ type: "user" }),
    "validate linux.uidMappings: a new user namespace needs at least one mapping; linux.gidMappings: a new user namespace needs at least one mapping",
  ],
  [
    "maps without a user namespace",
    ({ linux }) => (linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }]),
    'validate linux.uidMappings: IDs are mapped, but the container has no user namespace (add {"type": "user"} to linux.namespaces, or leave the mappings out)',
  ],
  [
    "a map that overlaps",
    ({ linux }) => {
      const map = [
        { containerID: 0, hostID: 1000, size: 10 },
        { containerID: 5, hostID: 2000, size: 10 },
      ];
      linux.namespaces.push({ type: "user" });
      Object.assign(linux, { uidMappings: map, gidMappings: map.slice(1) });
    },
    "validate linux.uidMappings[1].containerID: overlaps with linux.uidMappings[0]",
  ],
  [
    "a clock that cannot be set",
    ({ linux }) => {
      linux.namespaces.push({ type: "time" });
      linux.timeOffsets = { realtime: { secs: 1 } };
    },
    "validate linux.timeOffsets.realtime: only monotonic and boottime have an offset",
  ],
  [
    "clocks without their namespace",
    ({ linux }) => (linux.timeOffsets = { boottime: { secs: 1 } }),
    'validate linux.timeOffsets: cannot be set without a time namespace (add {"type": "time"} to linux.namespaces)',
  ],
  [
    "hidden paths in the host's mounts",
    ({ linux }) => (linux.namespaces = [{ type: "pid" }, { type: "uts" }]),
    "validate linux.maskedPaths: cannot be restricted without a mount namespace of the container's own; linux.readonlyPaths: cannot be restricted without a mount namespace of the container's own",
  ],
  [
    "a hidden path that is relative",
    ({ linux }) => linux.maskedPaths.push("proc/kcore"),
    "validate linux.maskedPaths[10]: must be an absolute path",
  ],
  [
    "a propagation that is none",
    ({ linux }) => (linux.rootfsPropagation = "public"),
    'validate linux.rootfsPropagation: unknown propagation "public" (use one of private, rprivate, slave, rslave, shared, rshared, unbindable, runbindable)',
  ],
  [
    "a sysctl of the host",
    ({ linux }) => (linux.sysctl = { "kernel.core_pattern": "|/x" }),
    'validate linux.sysctl["kernel.core_pattern"]: is not in a separate kernel namespace',
  ],
  [
    "a sysctl of a namespace that is the host's",
    ({ linux }) => {
      linux.namespaces = linux.namespaces.filter(({ type }: Broken) => type !== "network");
      linux.sysctl = { "net.ipv4.ip_forward": "1" };
    },
    'validate linux.sysctl["net.ipv4.ip_forward"]: is not allowed in the host\'s network namespace (give the container a network namespace of its own)',
  ],
  [
    "a sysctl's value of another type",
    ({ linux }) => (linux.sysctl = { "kernel.shm_rmid_forced": "yes" }),
    'validate linux.sysctl["kernel.shm_rmid_forced"]: takes 0 or 1',
  ],
  [
    "a sysctl that climbs",
    ({ linux }) => (linux.sysctl = { "net/../kernel/core_pattern": "x" }),
    'validate linux.sysctl["net/../kernel/core_pattern"]: is not the name of a sysctl',
  ],
  [
    "a personality that is none",
    ({ linux }) => (linux.personality = { domain: "BSD" }),
    'validate linux.personality.domain: unknown domain "BSD" (use LINUX or LINUX32)',
  ],
  [
    "a memory policy without nodes",
    ({ linux }) => (linux.memoryPolicy = { mode: "MPOL_BIND" }),
    "validate linux.memoryPolicy.nodes: memory policy mode requires at least one node but got 0",
  ],
  [
    "a class of service that climbs",
    ({ linux }) => (linux.intelRdt = { closID: "../x" }),
    'validate linux.intelRdt.closID: is not a name: "../x"',
  ],
  [
    "an interface's name that is none",
    ({ linux }) => (linux.netDevices = { eth1: { name: "a/b" } }),
    "validate linux.netDevices.eth1.name: is not the name of a network interface",
  ],
  [
    "a mount without a place",
    ({ mounts }) => mounts.push({ destination: "", type: "tmpfs" }),
    "validate mounts[7].destination: must not be empty",
  ],
  [
    "a mount without a type",
    ({ mounts }) => mounts.push({ destination: "/x" }),
    "validate mounts[7].type: is required, unless the options have bind or rbind",
  ],
  [
    "a bind without a source",
    ({ mounts }) => mounts.push({ destination: "/x", type: "bind" }),
    "validate mounts[7].source: a bind mount needs a source",
  ],
  [
    "a bind with a file system's option",
    ({ mounts }) => mounts.push({ destination: "/x", type: "bind", source: "/tmp", options: ["rbind", "mode=755"] }),
    'validate mounts[7].options[1]: a bind mount cannot have the file system option "mode=755"',
  ],
  [
    "a mount inside /proc",
    ({ mounts }) => mounts.push({ destination: "/proc/sys", type: "tmpfs" }),
    'validate mounts[7].destination: "/proc/sys" cannot be mounted because it is inside /proc',
  ],
  [
    "mapped IDs of half a kind",
    ({ mounts }) =>
      mounts.push({
        destination: "/x",
        type: "bind",
        source: "/tmp",
        options: ["bind"],
        uidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
      }),
    "validate mounts[7].gidMappings: is required beside uidMappings",
  ],
  [
    "a device of no type",
    ({ linux }) => (linux.devices = [{ type: "d", path: "/dev/x", major: 1, minor: 1 }]),
    'validate BUNDLE/config.json: linux.devices[0].type: must be one of c, b, u, p, is "d"',
  ],
  [
    "a device without a number",
    ({ linux }) => (linux.devices = [{ type: "c", path: "/dev/x" }]),
    "validate linux.devices[0].major: a device needs a major number from 0 to 4095; linux.devices[0].minor: a device needs a minor number from 0 to 1048575",
  ],
  [
    "a device at a relative path",
    ({ linux }) => (linux.devices = [{ type: "c", path: "x", major: 1, minor: 3 }]),
    "validate linux.devices[0].path: must be an absolute path",
  ],
];
