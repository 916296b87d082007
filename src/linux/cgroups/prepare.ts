/** Making a container's directories, so that its limits can be written into them. */
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { errno } from "../errno.ts";
import type { Hierarchy } from "./detect.ts";
import { levels } from "./location.ts";
import type { CgroupStep } from "./types.ts";

const CAUSE = "linux.cgroupsPath";

/** Reads a file of /proc or /sys; undefined where there is none. */
export type TryRead = (path: string) => string | undefined;

/** A v1 hierarchy other than cpuset needs no more than its directories. */
export function makeDirectory(path: string): CgroupStep {
  return { kind: "mkdir", path, cause: CAUSE };
}

/**
 * A v1 cpuset takes no process before it has CPUs and memory nodes. Each new level gets its parent's; the container's own level is
 * left to its limits where those name them.
 */
export function makeCpuset(
  hierarchy: Hierarchy,
  directory: string,
  resources: ResourcesConfig,
  read: TryRead,
): CgroupStep[] {
  const steps: CgroupStep[] = [];
  const inherited = { cpus: "", mems: "" };
  const all = [hierarchy.mountPoint, ...levels(hierarchy.mountPoint, directory)];
  for (const level of all) {
    const isOwn = level === directory;
    if (level !== hierarchy.mountPoint) steps.push(makeDirectory(level));
    for (const name of ["cpus", "mems"] as const) {
      const path = `${level}/cpuset.${name}`;
      const there = read(path)?.trim() ?? "";
      if (there === "" && !(isOwn && resources.cpu?.[name])) {
        steps.push({ kind: "write", path, value: inherited[name], cause: "inherited cpuset" });
      }
      if (there !== "") inherited[name] = there;
    }
  }
  return steps;
}

/** A cgroup that has processes, is not delegated or lacks a controller refuses to hand it on. */
const refusals = [errno.EBUSY, errno.ENOENT, errno.EINVAL, errno.EOPNOTSUPP, errno.EACCES, errno.EPERM];

/**
 * v2: the directories, and the controllers handed down to them level by level. Controllers that a limit needs (`needed`: the field
 * behind each) must be had; the others only make statistics complete.
 */
export function makeUnified(
  hierarchy: Hierarchy,
  directory: string,
  needed: ReadonlyMap<string, string>,
  read: TryRead,
): CgroupStep[] {
  const steps: CgroupStep[] = [];
  let parent = hierarchy.mountPoint;
  for (const level of levels(hierarchy.mountPoint, directory)) {
    const control = `${parent}/cgroup.subtree_control`;
    const enabled = (read(control) ?? "").trim().split(" ");
    for (const name of hierarchy.controllers) {
      if (!enabled.includes(name)) steps.push(enable(control, name, needed.get(name)));
    }
    steps.push(makeDirectory(level));
    parent = level;
  }
  return steps;
}

/** One controller per write: a write of several is refused whole when one of them is. */
function enable(path: string, controller: string, field: string | undefined): CgroupStep {
  const value = `+${controller}`;
  if (field !== undefined) return { kind: "write", path, value, cause: `${field} (enabling ${controller})` };
  return { kind: "write", path, value, cause: `statistics of ${controller}`, tolerate: refusals };
}
