import { expect, test } from "bun:test";
import { legacyProcs } from "./warm-up.ts";

test.each([
  ["v1", "9:name=systemd:/\n8:pids:/a/b\n0::/\n", "/sys/fs/cgroup/pids/a/b/cgroup.procs"],
  ["the top", "4:memory:/\n", "/sys/fs/cgroup/memory/cgroup.procs"],
  ["v2 alone", "0::/user.slice\n", undefined],
  ["shared hierarchies alone", "4:cpu,cpuacct:/\n", undefined],
])("the file that a move to where one is already goes through: %s", (_, memberships, path) => {
  expect(legacyProcs(memberships)).toBe(path);
});
