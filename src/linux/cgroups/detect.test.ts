import { expect, test } from "bun:test";
import { cgroupDirectory, detectCgroups, ownDirectory, v1HierarchyOf } from "./detect.ts";

function machine(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`ENOENT: ${path}`);
    return text;
  };
}

const other =
  "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n40 22 0:50 / /data/x\\040-\\040cgroup rw - tmpfs none rw\n";

test("a machine with v2 alone", () => {
  const layout = detectCgroups(
    machine({
      "/proc/self/mountinfo": `${other}30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate`,
      "/proc/self/cgroup": "0::/user.slice/user-1000.slice/session-1.scope\n",
      "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
    }),
  );
  expect(layout).toEqual({
    mode: "v2",
    v1: [],
    v2: {
      mountPoint: "/sys/fs/cgroup",
      controllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"],
      root: "/",
      self: "/user.slice/user-1000.slice/session-1.scope",
    },
  });
});

const hybrid = {
  "/proc/self/mountinfo": `${other}31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /mnt/again rw - cgroup cgroup rw,memory
36 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw master:3 - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`,
  "/proc/self/cgroup": "9:name=systemd:/a:b\n4:memory:/proc/1\n2:cpu,cpuacct:/\n1:pids:/\n0::/\n",
  "/sys/fs/cgroup/unified/cgroup.controllers": "\n",
};

test("a hybrid machine: co-mounted controllers, named hierarchies, mounts in two places, one controller not mounted", () => {
  expect(detectCgroups(machine(hybrid), false).mode).toBe("v1");
  const layout = detectCgroups(machine(hybrid), true);
  expect(layout.mode).toBe("hybrid");
  expect(layout.v1.map(({ controllers, mountPoint, self }) => [controllers.join(), mountPoint, self])).toEqual([
    ["name=systemd", "/sys/fs/cgroup/systemd", "/a:b"],
    ["memory", "/sys/fs/cgroup/memory", "/proc/1"],
    ["cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/"],
  ]);
  expect(layout.v2).toEqual({ mountPoint: "/sys/fs/cgroup/unified", controllers: [], root: "/", self: "/" });
  expect(v1HierarchyOf(layout, "cpuacct")?.mountPoint).toBe("/sys/fs/cgroup/cpu,cpuacct");
  expect(v1HierarchyOf(layout, "pids")).toBeUndefined();
});

test("v1 alone, and nothing at all", () => {
  const withoutV2 = { ...hybrid, "/proc/self/cgroup": "4:memory:/\n" };
  expect(detectCgroups(machine(withoutV2)).mode).toBe("v1");
  const nothing = machine({ "/proc/self/mountinfo": other, "/proc/self/cgroup": "0::/\n" });
  expect(detectCgroups(nothing)).toEqual({ mode: "none", v1: [] });
});

test("a v2 mount that cannot be read offers no controllers", () => {
  const files = { "/proc/self/mountinfo": "1 1 0:1 / /c rw - cgroup2 x rw\n", "/proc/self/cgroup": "0::/\n" };
  expect(detectCgroups(machine(files)).v2?.controllers).toEqual([]);
});

test("directories follow the mount point, and what the mount shows at its top", () => {
  const hierarchy = { mountPoint: "/sys/fs/cgroup", controllers: [], root: "/docker/abc", self: "/docker/abc/inner" };
  expect(cgroupDirectory(hierarchy, "/galley/x")).toBe("/sys/fs/cgroup/galley/x");
  expect(ownDirectory(hierarchy)).toBe("/sys/fs/cgroup/inner");
  expect(ownDirectory({ ...hierarchy, self: "/elsewhere" })).toBe("/sys/fs/cgroup");
});

test("escaped mount points are read", () => {
  const files = { "/proc/self/mountinfo": "1 1 0:1 / /c\\040d rw - cgroup2 x rw\n", "/proc/self/cgroup": "0::/\n" };
  expect(detectCgroups(machine(files)).v2?.mountPoint).toBe("/c d");
});
