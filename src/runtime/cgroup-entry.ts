/** How a process comes into its cgroup, for containers and for execs. */
import { GalleyError } from "../errors.ts";
import type { CgroupLayout } from "../linux/cgroups/detect.ts";
import { planJoin } from "../linux/cgroups/join.ts";
import type { CgroupJoin } from "../linux/cgroups/types.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
import { flag, slot } from "./slots.ts";

/** How a process comes into a cgroup. */
export interface CgroupEntry {
  /** Outside, before the clone: the v2 directory, which the process is born in. */
  readonly before: readonly Step[];
  /** Slot of that directory. */
  readonly cloneInto?: string;
  /** Outside, after the clone: the v1 directories with their limits. */
  readonly prepare: readonly Step[];
  /** Inside, once those are there and while the host's tree is at hand: the process enters each of them. */
  readonly enter: readonly Step[];
}

/** For a process that joins a container's cgroup, where it has one: nothing is made, and no limit is written again. */
export function joinCgroup(linux: LinuxConfig, layout: CgroupLayout): CgroupEntry {
  if (linux.cgroupsPath === "") return enterCgroup({ attach: [] });
  return enterCgroup(planJoin(layout, pathOf(linux)));
}

/** For a process that joins cgroups which are there. */
export function enterCgroup(join: CgroupJoin): CgroupEntry {
  const into = join.cloneInto === undefined ? {} : { cloneInto: slot.cgroup };
  return { before: openOwn(join), ...into, prepare: [], enter: enterSteps(join) };
}

/** An open directory of the host would be a way out for a command named by its descriptor (CVE-2024-21626). */
export function forgetCgroup({ cloneInto }: Pick<CgroupEntry, "cloneInto">): Step[] {
  return cloneInto === undefined ? [] : [step("close", [cloneInto], { cause: "no directory of the host stays open" })];
}

/** linux.cgroupsPath, which Galley's own configurations always have. */
export function pathOf({ cgroupsPath: path = "" }: LinuxConfig): string {
  if (path !== "") return path;
  throw new GalleyError("invalid_argument", "must be set", { subject: "linux.cgroupsPath" });
}

/** Opens the v2 directory that the process is born in. */
export function openOwn(plan: CgroupJoin): Step[] {
  if (plan.cloneInto === undefined) return [];
  const flags = flag.O_RDONLY | flag.O_DIRECTORY | flag.O_CLOEXEC;
  return [
    step("openat", [CWD, plan.cloneInto, flags, 0], { out: slot.cgroup, cause: plan.cause ?? "linux.cgroupsPath" }),
  ];
}

/** The process enters its v1 directories itself. */
export function enterSteps(plan: CgroupJoin): Step[] {
  return plan.attach.map(({ tasks, cause }) => writeStep(tasks, "0", cause));
}

/** Writes a value to a cgroup file. */
export function writeStep(path: string, value: string, cause: string, tolerate?: readonly number[]): Step {
  const options = tolerate === undefined ? { cause } : { cause, tolerate };
  return step("write_file", [CWD, path, utf8(value), flag.O_WRONLY, 0], options);
}
