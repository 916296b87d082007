import { expect, test } from "bun:test";
import type { CgroupLayout } from "../../../linux/cgroups/detect.ts";
import { type Recipe, step } from "../../../recipe/recipe.ts";
import { endOfScope, startInScope } from "./unit-recipe.ts";

const at = (name: string, ...controllers: readonly string[]) => ({
  mountPoint: `/sys/fs/cgroup/${name}`,
  controllers,
  root: "/",
  self: "/",
});
const named = at("systemd", "name=systemd");
const memory = at("memory", "memory");
const unified = at("unified");
const hybrid: CgroupLayout = { mode: "hybrid", v1: [named, memory], v2: unified };

const directories = [named, memory, unified].map(({ mountPoint }) => `${mountPoint}/a.slice/b.scope`);
const recipe: Recipe = {
  sections: {
    outside: directories.map((path) => step("make_dirs", [path, 0o755], { cause: "linux.cgroupsPath" })),
    cleanup: [
      step("kill_cgroup", [directories[1] ?? "", 9], { cause: "end" }),
      ...directories.map((path) => step("remove_cgroup", [path, 1], { cause: "linux.cgroupsPath" })),
    ],
  },
};

const paths = ({ sections }: Recipe, name: "outside" | "cleanup", op: string) =>
  (sections[name] ?? []).filter((one) => one.op === op).map(({ args }) => args[0]);

test("a start makes no directory where systemd has its units, and removes none", () => {
  const started = startInScope(recipe, hybrid);
  expect(paths(started, "outside", "make_dirs")).toEqual([directories[1]]);
  expect(paths(started, "cleanup", "remove_cgroup")).toEqual([]);
  expect(paths(started, "cleanup", "kill_cgroup")).toEqual([directories[1]]);
  expect(paths(startInScope(recipe, { mode: "v1", v1: [named, memory] }), "outside", "make_dirs")).toEqual(
    directories.slice(1),
  );
});

test("an end leaves the unified hierarchy to systemd", () => {
  expect(paths(endOfScope(recipe, hybrid), "cleanup", "remove_cgroup")).toEqual(directories.slice(0, 2));
  expect(paths(endOfScope(recipe, { mode: "v1", v1: [named, memory] }), "cleanup", "remove_cgroup")).toEqual(
    directories,
  );
});
