import { expect, test } from "bun:test";
import type { CgroupLayout } from "./detect.ts";
import { parseBelowPaths, planJoinBelow, planJoinFirst } from "./join-below.ts";

const hierarchy = (mountPoint: string, controllers: readonly string[]) => ({
  mountPoint,
  controllers,
  root: "/",
  self: "/",
});
const hybrid: CgroupLayout = {
  mode: "hybrid",
  v1: [hierarchy("/m", ["memory"]), hierarchy("/c", ["cpu", "cpuacct"]), hierarchy("/s", ["name=systemd"])],
  v2: hierarchy("/u", []),
};
const v2: CgroupLayout = { mode: "v2", v1: [], v2: hierarchy("/cg", ["memory", "pids"]) };

function entered(layout: CgroupLayout, ...given: readonly string[]): readonly string[] {
  const { cloneInto, attach } = planJoinBelow(layout, "/box", parseBelowPaths(given));
  return [...attach.map(({ tasks }) => tasks.replace("/tasks", "")), ...(cloneInto === undefined ? [] : [cloneInto])];
}

test("one path for all, or one for each controller; the others stay where the container is", () => {
  expect(entered(hybrid, "/")).toEqual(["/m/box", "/c/box", "/s/box", "/u/box"]);
  expect(entered(hybrid, "a/b")).toEqual(["/m/box/a/b", "/c/box/a/b", "/s/box/a/b", "/u/box/a/b"]);
  expect(entered(hybrid, "memory:m", "cpu,cpuacct:c")).toEqual(["/m/box/m", "/c/box/c", "/s/box", "/u/box"]);
  expect(entered(hybrid, "systemd:s")).toEqual(["/m/box", "/c/box", "/s/box/s", "/u/box"]);
  expect(entered(v2, "a")).toEqual(["/cg/box/a"]);
});

test("a path that leads out, also to a neighbour whose name begins alike, and what is not there", () => {
  expect(() => entered(hybrid, "..")).toThrow("bad sub cgroup path: ..");
  expect(() => entered(v2, "../box2")).toThrow("bad sub cgroup path");
  expect(() => entered(hybrid, "whaaat:/")).toThrow("unknown controller whaaat");
  expect(() => parseBelowPaths(["a", "b"])).toThrow("missing <controller>: prefix");
  expect(() => parseBelowPaths(["cpu:a", "cpu:b"])).toThrow("specified multiple times");
  expect(() => parseBelowPaths([":a"])).toThrow("empty <controller> prefix");
});

test("v2: where the first process is, if the container's own cgroup takes none", () => {
  const first = (layout: CgroupLayout, files: Readonly<Record<string, string>>) =>
    planJoinFirst(layout, "/box", 7, (path) => files[path])?.cloneInto;
  const control = "/cg/box/cgroup.subtree_control";
  const moved = { "/proc/7/cgroup": "0::/box/inner\n" };
  expect(first(v2, { [control]: "\n", ...moved })).toBeUndefined();
  expect(first(v2, { [control]: "pids cpu\n", "/proc/7/cgroup": "0::/box\n" })).toBeUndefined();
  const type = "/cg/box/inner/cgroup.type";
  expect(first(v2, { [control]: "pids cpu\n", [type]: "threaded\n", ...moved })).toBeUndefined();
  expect(first(v2, { [control]: "pids cpu\n", [type]: "domain\n", ...moved })).toBe("/cg/box/inner");
  expect(first(v2, { [control]: "memory pids\n", ...moved })).toBe("/cg/box/inner");
  expect(first(v2, { "/proc/7/cgroup": "0::/elsewhere\n" })).toBe("/cg/elsewhere");
  expect(first(v2, {})).toBeUndefined();
  expect(first(hybrid, moved)).toBeUndefined();
});
