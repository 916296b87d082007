import { type Dirent, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type CgroupLayout, detectCgroups, v1HierarchyOf } from "../../linux/cgroups/detect.ts";
import { cgroupLocation } from "../../linux/cgroups/location.ts";

/**
 * The processes of a container, ascending: all of its cgroup and those below it; where that is not to be read, those of its first
 * process's pid namespace, unless that is the caller's own.
 * @param path as `linux.cgroupsPath`
 */
export function containerProcesses(
  path: string,
  init: number,
  layout: CgroupLayout = detectCgroups(),
): readonly number[] {
  const directory = cgroupOf(path, layout);
  const members = directory === undefined ? undefined : membersOf(directory);
  const pids = members ?? namespaceMembers(init);
  return [...new Set(pids)].sort((a, b) => a - b);
}

/** Any hierarchy that each container's processes are moved into. */
function cgroupOf(path: string, layout: CgroupLayout): string | undefined {
  for (const controller of ["pids", "memory", "devices", "freezer"]) {
    const hierarchy = v1HierarchyOf(layout, controller);
    if (hierarchy !== undefined) return cgroupLocation(hierarchy, 1, path);
  }
  return layout.v2 === undefined ? undefined : cgroupLocation(layout.v2, 2, path);
}

/** Undefined where there is no such cgroup. A cgroup below may go while it is looked at. */
function membersOf(directory: string): readonly number[] | undefined {
  let entries: Dirent[];
  let text: string;
  try {
    text = readFileSync(`${directory}/cgroup.procs`, "utf8");
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return undefined;
  }
  const below = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => membersOf(`${directory}/${name}`) ?? []);
  return [...text.split("\n").filter(Boolean).map(Number), ...below.flat()].filter((pid) => pid > 0);
}

function namespaceMembers(init: number): readonly number[] {
  const wanted = namespaceOf(init);
  if (wanted === undefined || wanted === namespaceOf("self")) return [init];
  const all = readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
  return all.filter((pid) => namespaceOf(pid) === wanted);
}

function namespaceOf(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
