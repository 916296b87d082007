import { expect, test } from "bun:test";
import type { NamespaceType } from "../spec/runtime.ts";
import { compileCgroup } from "./cgroup.ts";
import { type ConfigPart, configWith, exec, failure, machines, start } from "./sample.ts";

const unknown = "strange" as NamespaceType;
const cases: readonly (readonly [string, ConfigPart])[] = [
  ["invalid_argument process.args: there is no command to run", { process: { args: [] } }],
  ["invalid_argument process.cwd: must be an absolute path", { process: { cwd: "work" } }],
  ["invalid_argument process.user.uid: -1 is no ID: use 0 to 4294967294", { process: { user: { uid: -1, gid: 0 } } }],
  [
    "invalid_argument process.user.additionalGids: 4294967295 is no ID: use 0 to 4294967294",
    { process: { user: { uid: 0, gid: 0, additionalGids: [2 ** 32 - 1] } } },
  ],
  [
    "invalid_argument process.rlimits[0] (RLIMIT_X): unknown resource limit",
    { process: { rlimits: [{ type: "RLIMIT_X", soft: 1, hard: 1 }] } },
  ],
  [
    "invalid_argument process.rlimits[0] (RLIMIT_CORE): the soft limit 2 is above the hard limit 1",
    { process: { rlimits: [{ type: "RLIMIT_CORE", soft: 2, hard: 1 }] } },
  ],
  ['invalid_argument process.scheduler.policy: unknown value "FIFO"', { process: { scheduler: { policy: "FIFO" } } }],
  ['invalid_argument linux.personality.domain: unknown value "BSD"', { linux: { personality: { domain: "BSD" } } }],
  ["unimplemented linux.intelRdt: only the OCI runtime has groups of resctrl", { linux: { intelRdt: {} } }],
  [
    "failed_precondition linux.resources.pids: rootless needs no limits + no cgrouppath when no permission is granted for cgroups",
    { linux: { cgroupsPath: "", resources: { pids: { limit: 1 } } } },
  ],
  ["invalid_argument linux.cgroupsPath: must name a cgroup below the top", { linux: { cgroupsPath: "/" } }],
  [
    'invalid_argument linux.namespaces[1].type: unknown namespace "strange"',
    { linux: { namespaces: [{ type: "mount" }, { type: unknown }] } },
  ],
  [
    "invalid_argument linux.namespaces[1]: mount is there already",
    { linux: { namespaces: [{ type: "mount" }, { type: "mount" }] } },
  ],
  [
    "invalid_argument linux.uidMappings: a new user namespace needs at least one mapping",
    { linux: { namespaces: [{ type: "mount" }, { type: "user" }] } },
  ],
  [
    "invalid_argument hostname: needs a uts namespace of the container's own",
    { hostname: "h", linux: { namespaces: [{ type: "mount" }] } },
  ],
  ['invalid_argument linux.rootfsPropagation: unknown propagation "rwide"', { linux: { rootfsPropagation: "rwide" } }],
  ["invalid_argument linux.sysctl[kernel..x]: not the name of a sysctl", { linux: { sysctl: { "kernel..x": "1" } } }],
  ["invalid_argument linux.sysctl[../../x]: not the name of a sysctl", { linux: { sysctl: { "../../x": "1" } } }],
  [
    "invalid_argument mounts[0].type: is required, unless the options have bind or rbind",
    { mounts: [{ destination: "/x" }] },
  ],
  [
    'invalid_argument mounts[0].options: a bind mount cannot have the file system option "size"',
    { mounts: [{ destination: "/x", type: "bind", source: "/tmp", options: ["size=1m"] }] },
  ],
  [
    "invalid_argument linux.devices[0] (/dev/..): must be the absolute path of a device",
    {
      mounts: [{ destination: "/dev", type: "tmpfs" }],
      linux: { devices: [{ type: "c", path: "/dev/..", major: 1, minor: 1 }] },
    },
  ],
  [
    'invalid_argument linux.resources.devices[0].access: unknown device access "rx"',
    { linux: { resources: { devices: [{ allow: true, access: "rx" }] } } },
  ],
  [
    "failed_precondition linux.resources.hugepageLimits[0]: the cgroup controller hugetlb is not available",
    { linux: { resources: { hugepageLimits: [{ pageSize: "2MB", limit: 1 }] } } },
  ],
  [
    "invalid_argument linux.seccomp.listenerPath: seccomp listenerPath is not set",
    {
      linux: {
        seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mount"], action: "SCMP_ACT_NOTIFY" }] },
      },
    },
  ],
  [
    'invalid_argument linux.seccomp.flags[0]: unknown seccomp flag "X"',
    { linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW", flags: ["X"] } } },
  ],
];

test.each(cases)("%s", (message, part) => {
  expect(failure(() => start(part))).toBe(message);
});

test("an empty cgroup path is none; a missing one is a mistake", () => {
  const recipe = start({ linux: { cgroupsPath: "", resources: { devices: [] } } });
  expect(JSON.stringify(recipe.sections)).not.toContain("/cg/");
  const { cgroupsPath: _, ...linux } = configWith().linux ?? {};
  expect(failure(() => compileCgroup(linux, machines.v1.cgroups))).toBe(
    "invalid_argument linux.cgroupsPath: must be set",
  );
});

test("an exec's process is looked at too", () => {
  expect(failure(() => exec({ args: [] }))).toContain("process.args");
  expect(failure(() => exec({ selinuxLabel: "l" }, {}, machines.v1))).toContain("process.selinuxLabel");
});
