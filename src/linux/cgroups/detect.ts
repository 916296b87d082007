/**
 * Which cgroup hierarchies the machine has, where they are mounted and where this process is in them
 * (cgroups(7), proc_pid_mountinfo(5), Documentation/admin-guide/cgroup-v2.rst).
 */
import { readFileSync } from "node:fs";
import { posix } from "node:path";

/** One mounted hierarchy. */
export interface Hierarchy {
  readonly mountPoint: string;
  /**
   * v1: the controllers mounted together, or `name=systemd` alone for one without controllers.
   * v2: what the root's cgroup.controllers offers, without the ones that are always there (devices, freezer).
   */
  readonly controllers: readonly string[];
  /** The cgroup that the mount shows at its top: `/`, but for a process in a container without a cgroup namespace. */
  readonly root: string;
  /** The cgroup of this process, from the hierarchy's root. */
  readonly self: string;
}

/** `hybrid` has v1 hierarchies and a v2 one, which may have controllers of its own. */
export interface CgroupLayout {
  readonly mode: "none" | "v1" | "hybrid" | "v2";
  readonly v1: readonly Hierarchy[];
  readonly v2?: Hierarchy;
}

export type ReadText = (path: string) => string;

const readText: ReadText = (path) => readFileSync(path, "utf8");

/**
 * Reads the running machine's layout: two files of /proc, and one of the v2 hierarchy. Every start of a container does this, so
 * it is written with plain loops: the first call of each regular expression or array method costs more than the reading.
 * Of a hybrid machine a user who is not root sees v1 alone.
 */
export function detectCgroups(read: ReadText = readText, isRoot = process.geteuid?.() === 0): CgroupLayout {
  const mounts = cgroupMounts(read("/proc/self/mountinfo"));
  const v1: Hierarchy[] = [];
  let v2: Hierarchy | undefined;
  for (const { controllers, path: self } of parseMemberships(read("/proc/self/cgroup"))) {
    const mount = mounts.get(controllers[0] ?? UNIFIED);
    if (mount === undefined) continue;
    const mountPoint = unescapeOctal(mount.mountPoint);
    const root = unescapeOctal(mount.root);
    if (controllers.length > 0) v1.push({ mountPoint, controllers, root, self });
    else v2 = { mountPoint, controllers: offeredControllers(mountPoint, read), root, self };
  }
  // Between cgroups of v2 a user moves processes only where all of them are his (cgroup-v2.rst, "Delegation Containment").
  if (v1.length > 0 && !isRoot) v2 = undefined;
  return { mode: modeOf(v1.length > 0, v2 !== undefined), v1, ...(v2 === undefined ? {} : { v2 }) };
}

function modeOf(v1: boolean, v2: boolean): CgroupLayout["mode"] {
  if (v1) return v2 ? "hybrid" : "v1";
  return v2 ? "v2" : "none";
}

/** As mountinfo writes them, with special characters escaped. */
interface CgroupMount {
  readonly root: string;
  readonly mountPoint: string;
}

/** What stands for v2 where v1 has the names of controllers. */
const UNIFIED = "";

/**
 * The mounts of cgroup file systems by each of their controllers, found by their type without splitting the lines of others: a busy
 * host has thousands. A hierarchy may be mounted again elsewhere; the one in the usual place is the one that the administrator means.
 */
function cgroupMounts(mountinfo: string): Map<string, CgroupMount> {
  const mounts = new Map<string, CgroupMount>();
  for (let at = mountinfo.indexOf(" - cgroup"); at >= 0; at = mountinfo.indexOf(" - cgroup", at + 1)) {
    const start = mountinfo.lastIndexOf("\n", at) + 1;
    const end = mountinfo.indexOf("\n", at);
    const [, , , root = "/", mountPoint = ""] = mountinfo.slice(start, at).split(" ");
    const [type, , options = ""] = mountinfo.slice(at + 3, end < 0 ? undefined : end).split(" ");
    if (type !== "cgroup" && type !== "cgroup2") continue;
    const isUsual = mountPoint.startsWith("/sys/fs/cgroup");
    for (const name of type === "cgroup2" ? [UNIFIED] : options.split(",")) {
      const known = mounts.get(name);
      if (known === undefined || (isUsual && !known.mountPoint.startsWith("/sys/fs/cgroup"))) {
        mounts.set(name, { root, mountPoint });
      }
    }
  }
  return mounts;
}

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
export function unescapeOctal(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Where a process is in one hierarchy. */
export interface Membership {
  /** Empty for v2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** Lines are `ID:controllers:path`; a path may hold colons. Regular expressions would cost more here than all the rest. */
export function parseMemberships(text: string): Membership[] {
  const memberships: Membership[] = [];
  for (const line of text.split("\n")) {
    const first = line.indexOf(":");
    const second = line.indexOf(":", first + 1);
    if (second < 0) continue;
    const controllers = line.slice(first + 1, second);
    memberships.push({ controllers: controllers === "" ? [] : controllers.split(","), path: line.slice(second + 1) });
  }
  return memberships;
}

function offeredControllers(mountPoint: string, read: ReadText): string[] {
  try {
    const list = read(`${mountPoint}/cgroup.controllers`).trim();
    return list === "" ? [] : list.split(" ");
  } catch {
    return []; // a mount that this process may not read offers it nothing
  }
}

/** The v1 hierarchy that has a controller (`memory`) or a name (`name=systemd`). */
export function v1HierarchyOf(layout: CgroupLayout, controller: string): Hierarchy | undefined {
  return layout.v1.find(({ controllers }) => controllers.includes(controller));
}

/** The directory of an absolute cgroup path, as seen from the mount. */
export function cgroupDirectory(hierarchy: Hierarchy, path: string): string {
  return posix.join(hierarchy.mountPoint, path);
}

/** The directory of this process's own cgroup; the mount point where that lies above what the mount shows. */
export function ownDirectory(hierarchy: Hierarchy): string {
  const below = posix.relative(hierarchy.root, hierarchy.self);
  return below.startsWith("..") ? hierarchy.mountPoint : posix.join(hierarchy.mountPoint, below);
}
