import { expect, test } from "bun:test";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import type { CgroupLayout } from "./detect.ts";
import { type CgroupRequest, planCgroup } from "./plan.ts";
import type { CgroupStep } from "./types.ts";

const kernel = "6.12.0";
const top = (mountPoint: string, controllers: readonly string[], self = "/") => ({
  mountPoint,
  controllers,
  root: "/",
  self,
});

const v2Layout: CgroupLayout = {
  mode: "v2",
  v1: [],
  v2: top("/cg", ["cpuset", "cpu", "io", "memory", "pids"], "/user.slice/mine"),
};
const v1Layout: CgroupLayout = {
  mode: "v1",
  v1: [
    top("/cg/cpuset", ["cpuset"]),
    top("/cg/cpu", ["cpu", "cpuacct"]),
    top("/cg/memory", ["memory"], "/own"),
    top("/cg/devices", ["devices"]),
  ],
};
const hybridLayout: CgroupLayout = { mode: "hybrid", v1: v1Layout.v1, v2: top("/cg/unified", []) };

function plan(
  layout: CgroupLayout,
  resources: ResourcesConfig,
  files: Readonly<Record<string, string>> = {},
  more: Partial<CgroupRequest> = {},
) {
  return planCgroup({
    layout,
    path: "/galley/c1",
    resources,
    kernel,
    skipDevices: true,
    read: (path) => files[path],
    ...more,
  });
}

/** One line per step: `mkdir /a`, `/a/file = value`, `/a/file ? value` where errors are tolerated. */
function lines(steps: readonly CgroupStep[]): string[] {
  return steps.map((step) =>
    step.kind === "mkdir"
      ? `mkdir ${step.path}`
      : `${step.path} ${step.tolerate === undefined ? "=" : "?"} ${step.value}`,
  );
}

test("v2: controllers are handed down, needed ones strictly, present ones not again", () => {
  const files = { "/cg/cgroup.subtree_control": "cpuset cpu io memory pids\n" };
  const { prepare, ...rest } = plan(v2Layout, { memory: { limit: 64, swap: 128 }, pids: { limit: 5 } }, files);
  expect(lines(prepare)).toEqual([
    "mkdir /cg/galley",
    "/cg/galley/cgroup.subtree_control ? +cpuset",
    "/cg/galley/cgroup.subtree_control ? +cpu",
    "/cg/galley/cgroup.subtree_control ? +io",
    "/cg/galley/cgroup.subtree_control = +memory",
    "/cg/galley/cgroup.subtree_control = +pids",
    "mkdir /cg/galley/c1",
    "/cg/galley/c1/memory.swap.max = 64",
    "/cg/galley/c1/memory.max = 64",
    "/cg/galley/c1/pids.max = 5",
  ]);
  expect(prepare[4]?.cause).toBe("linux.resources.memory.swap (enabling memory)");
  expect(rest).toEqual({
    cloneInto: "/cg/galley/c1",
    attach: [],
    directories: ["/cg/galley/c1"],
    members: "/cg/galley/c1",
    controllers: {
      cpuset: "/cg/galley/c1",
      cpu: "/cg/galley/c1",
      io: "/cg/galley/c1",
      memory: "/cg/galley/c1",
      pids: "/cg/galley/c1",
    },
    kill: "/cg/galley/c1/cgroup.kill",
    oom: { version: 2, counter: "/cg/galley/c1/memory.events" },
    freezer: {
      freeze: { path: "/cg/galley/c1/cgroup.freeze", value: "1", cause: "pause" },
      frozen: { path: "/cg/galley/c1/cgroup.events", text: "frozen 1" },
      thaw: { path: "/cg/galley/c1/cgroup.freeze", value: "0", cause: "resume" },
      thawed: { path: "/cg/galley/c1/cgroup.events", text: "frozen 0" },
    },
  });
});

test("v2: a second container needs only its directory", () => {
  const all = "cpuset cpu io memory pids";
  const files = { "/cg/cgroup.subtree_control": all, "/cg/galley/cgroup.subtree_control": all };
  expect(lines(plan(v2Layout, {}, files).prepare)).toEqual(["mkdir /cg/galley", "mkdir /cg/galley/c1"]);
});

test("v2: a relative path is beside this process's own cgroup", () => {
  const made = plan(v2Layout, {}, {}, { path: "box/../../../c1" });
  expect(made.directories).toEqual(["/cg/user.slice/c1"]);
});

test("v2 devices are a program, and defaults are always among the rules", () => {
  const made = plan(v2Layout, { devices: [{ allow: false, access: "rwm" }] }, {}, { skipDevices: false });
  expect(made.deviceFilter?.directory).toBe("/cg/galley/c1");
  expect(made.deviceFilter?.instructions.length).toBeGreaterThan(200);
});

test("v1: directories, cpusets level by level, limits and devices before anything joins", () => {
  const files = {
    "/cg/cpuset/cpuset.cpus": "0-3\n",
    "/cg/cpuset/cpuset.mems": "0\n",
    "/cg/cpuset/galley/cpuset.cpus": "0-1\n",
    "/cg/cpuset/galley/cpuset.mems": "\n",
  };
  const resources: ResourcesConfig = {
    cpu: { cpus: "1", shares: 512, quota: 50000, period: 100000 },
    memory: { limit: 8 * 2 ** 20, swap: -1, disableOOMKiller: true },
    devices: [
      { allow: false, access: "rwm" },
      { allow: true, type: "b", major: 8, minor: 0, access: "r" },
    ],
  };
  const made = plan(v1Layout, resources, files, { skipDevices: false });
  expect(lines(made.prepare)).toEqual([
    "mkdir /cg/cpuset/galley",
    "/cg/cpuset/galley/cpuset.mems = 0",
    "mkdir /cg/cpuset/galley/c1",
    "/cg/cpuset/galley/c1/cpuset.mems = 0",
    "mkdir /cg/cpu/galley/c1",
    "mkdir /cg/memory/galley/c1",
    "mkdir /cg/devices/galley/c1",
    "/cg/cpuset/galley/c1/cpuset.cpus = 1",
    "/cg/memory/galley/c1/memory.memsw.limit_in_bytes ? -1",
    "/cg/memory/galley/c1/memory.limit_in_bytes = 8388608",
    "/cg/memory/galley/c1/memory.oom_control = 1",
    "/cg/cpu/galley/c1/cpu.shares = 512",
    "/cg/cpu/galley/c1/cpu.cfs_period_us = 100000",
    "/cg/cpu/galley/c1/cpu.cfs_quota_us = 50000",
    "/cg/devices/galley/c1/devices.deny = a *:* rwm",
    "/cg/devices/galley/c1/devices.allow = b 8:0 r",
    "/cg/devices/galley/c1/devices.allow = c *:* m",
    "/cg/devices/galley/c1/devices.allow = b *:* m",
    "/cg/devices/galley/c1/devices.allow = c 1:3 rwm",
    "/cg/devices/galley/c1/devices.allow = c 1:5 rwm",
    "/cg/devices/galley/c1/devices.allow = c 1:7 rwm",
    "/cg/devices/galley/c1/devices.allow = c 1:8 rwm",
    "/cg/devices/galley/c1/devices.allow = c 1:9 rwm",
    "/cg/devices/galley/c1/devices.allow = c 5:0 rwm",
    "/cg/devices/galley/c1/devices.allow = c 5:2 rwm",
    "/cg/devices/galley/c1/devices.allow = c 136:* rwm",
    "/cg/devices/galley/c1/devices.allow = c 10:200 rwm",
  ]);
  expect(made.attach.map(({ procs }) => procs)).toEqual([
    "/cg/cpuset/galley/c1/cgroup.procs",
    "/cg/cpu/galley/c1/cgroup.procs",
    "/cg/memory/galley/c1/cgroup.procs",
    "/cg/devices/galley/c1/cgroup.procs",
  ]);
  expect(made.oom).toEqual({
    version: 1,
    directory: "/cg/memory/galley/c1",
    counter: "/cg/memory/galley/c1/memory.oom_control",
  });
  expect(made.cloneInto).toBeUndefined();
  expect(made.kill).toBeUndefined();
});

test("hybrid: v1 limits, and the v2 directory to be cloned into, frozen and killed", () => {
  const made = plan(hybridLayout, { memory: { limit: 1 } });
  expect(lines(made.prepare).at(-1)).toBe("/cg/memory/galley/c1/memory.limit_in_bytes = 1");
  expect(lines(made.prepare)).toContain("mkdir /cg/unified/galley/c1");
  expect(made.cloneInto).toBe("/cg/unified/galley/c1");
  expect(made.kill).toBe("/cg/unified/galley/c1/cgroup.kill");
  expect(made.freezer?.freeze.path).toBe("/cg/unified/galley/c1/cgroup.freeze");
  expect(made.members).toBe("/cg/unified/galley/c1");
  expect(plan(hybridLayout, {}, {}, { kernel: "5.1" }).freezer).toBeUndefined();
});

test("hybrid: a v2 controller is taken only for a limit, since v1 cannot be mounted with one that v2 has handed down", () => {
  const layout: CgroupLayout = { ...hybridLayout, v2: top("/cg/unified", ["hugetlb", "io"]) };
  expect(lines(plan(layout, {}).prepare).join()).not.toContain("subtree_control");
  const limited = lines(plan(layout, { hugepageLimits: [{ pageSize: "2MB", limit: 1 }] }).prepare);
  expect(limited.filter((line) => line.includes("subtree_control"))).toEqual([
    "/cg/unified/cgroup.subtree_control = +hugetlb",
    "/cg/unified/galley/cgroup.subtree_control = +hugetlb",
  ]);
});

test("a missing controller is an error that names the limit", () => {
  expect(() => plan(v1Layout, { pids: { limit: 3 } })).toThrow("the cgroup controller pids is not available");
  expect(() => plan(v2Layout, { network: { classID: 1 } })).toThrow("net_cls is not available");
  expect(() => plan(v2Layout, { hugepageLimits: [{ pageSize: "2MB", limit: 1 }] })).toThrow("hugetlb is not available");
  expect(plan({ mode: "none", v1: [] }, {}).prepare).toEqual([]);
});

test("without any way to filter devices no container is planned", () => {
  const layout: CgroupLayout = { mode: "v1", v1: [top("/cg/memory", ["memory"])] };
  expect(() => plan(layout, {}, {}, { skipDevices: false })).toThrow("no cgroup hierarchy can keep the container from");
});

test("unified resources are v2's alone, by file name, line by line", () => {
  const made = plan(v2Layout, { unified: { "io.max": "8:0 rbps=1\n8:16 rbps=2\n", "cgroup.max.depth": "3" } });
  expect(lines(made.prepare).slice(-3)).toEqual([
    "/cg/galley/c1/io.max = 8:0 rbps=1",
    "/cg/galley/c1/io.max = 8:16 rbps=2",
    "/cg/galley/c1/cgroup.max.depth = 3",
  ]);
  expect(() => plan(hybridLayout, { unified: { "memory.max": "1" } })).toThrow("need cgroup v2");
  expect(() => plan(v2Layout, { unified: { "../x.y": "1" } })).toThrow("CONTROLLER.PARAMETER");
  expect(() => plan(v2Layout, { unified: { memory: "1" } })).toThrow("CONTROLLER.PARAMETER");
  expect(() => plan(v2Layout, { unified: { "misc.max": "1" } })).toThrow("misc is not available");
});

test("a path must name a cgroup below the top", () => {
  for (const path of ["/", "", "..", "/x/.."]) {
    expect(() => plan(v2Layout, {}, {}, { path })).toThrow("must name a cgroup below the top");
  }
});
