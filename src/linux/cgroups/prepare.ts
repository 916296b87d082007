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
 * A v1 cpuset takes no process before it has CPUs and memory nodes. Levels that have none get those of the nearest one above that
 * has; the container's own level is left to its limits where those name them.
 */
export function makeCpuset(
  hierarchy: Hierarchy,
  directory: string,
  resources: ResourcesConfig,
  read: TryRead,
): CgroupStep[] {
  const all = levels(hierarchy.mountPoint, directory);
  const above = [hierarchy.mountPoint, ...all.slice(0, -1)];
  const cpus = nearest("cpuset.cpus", above, read);
  const mems = nearest("cpuset.mems", above, read);
  const steps: CgroupStep[] = [];
  all.forEach((level, index) => {
    const isOwn = level === directory;
    const lacking = [cpus, mems].filter((one) => index >= one.level);
    if (isOwn || lacking.length > 0) steps.push(makeDirectory(level));
    for (const { file, value } of lacking) {
      if (isOwn && resources.cpu?.[file === "cpuset.cpus" ? "cpus" : "mems"]) continue;
      steps.push({ kind: "write", path: `${level}/${file}`, value, cause: "inherited cpuset" });
    }
  });
  return steps;
}

/** The lowest of the directories that has a value in the file; mostly that is the last one, and one file is read. */
function nearest(file: string, directories: readonly string[], read: TryRead): Inherited {
  for (let level = directories.length - 1; level >= 0; level--) {
    const value = read(`${directories[level]}/${file}`)?.trim() ?? "";
    if (value !== "") return { file, value, level };
  }
  return { file, value: "", level: 0 };
}

interface Inherited {
  readonly file: string;
  readonly value: string;
  /** How many levels down from the top it was found. */
  readonly level: number;
}

/** A cgroup that has processes, lacks a controller, is threaded or is not delegated refuses to hand it on. */
const refusals = [errno.EBUSY, errno.ENOENT, errno.EOPNOTSUPP, errno.EACCES];

/**
 * v2: the directories, and the controllers handed down to them level by level. Controllers that a limit needs (`needed`: the field
 * behind each) must be had; the others only make statistics complete. On hybrid machines (`isShared`) these are left alone: v1
 * cannot be mounted with a controller that v2 has handed down, and what mounts it there later is somebody else.
 */
export function makeUnified(
  hierarchy: Hierarchy,
  directory: string,
  needed: ReadonlyMap<string, string>,
  isShared: boolean,
  read: TryRead,
): CgroupStep[] {
  const steps: CgroupStep[] = [];
  const { mountPoint } = hierarchy;
  const controllers = isShared ? hierarchy.controllers.filter((name) => needed.has(name)) : hierarchy.controllers;
  let parent = mountPoint;
  for (const level of controllers.length === 0 ? [directory] : levels(mountPoint, directory)) {
    const control = `${parent}/cgroup.subtree_control`;
    const enabled = controllers.length === 0 ? [] : (read(control) ?? "").trim().split(" ");
    for (const name of controllers) {
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
