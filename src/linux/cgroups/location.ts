import { posix } from "node:path";
import { GalleyError } from "../../errors.ts";
import { type Hierarchy, ownDirectory } from "./detect.ts";

/**
 * The directory of `linux.cgroupsPath` in a hierarchy. An absolute path counts from what the mount shows, a relative one from this
 * process's own cgroup; in v2 from the one above, as a cgroup with processes of its own cannot give controllers to its children.
 * `..` never leads out. Throws `invalid_argument` for a path that names the top itself.
 */
export function cgroupLocation(hierarchy: Hierarchy, version: 1 | 2, path: string): string {
  const clean = cleanPath(path);
  if (clean === "/") {
    throw new GalleyError("invalid_argument", "must name a cgroup below the top", { subject: "linux.cgroupsPath" });
  }
  if (path.startsWith("/")) return `${hierarchy.mountPoint}${clean}`;
  const own = ownDirectory(hierarchy);
  const isTop = own === posix.normalize(hierarchy.mountPoint);
  return posix.join(version === 2 && !isTop ? posix.dirname(own) : own, clean);
}

/** Nearly every path is clean as it is, and looking is cheaper than joining. */
function cleanPath(path: string): string {
  const isClean = path.startsWith("/") && !path.endsWith("/") && !path.includes("//") && !path.includes("/.");
  return isClean ? path : posix.join("/", path, ".");
}

/** Directories from just below `top` down to `directory`, which lies below it: `/a`, `/b` → `/a/x`, `/a/x/y`. */
export function levels(top: string, directory: string): string[] {
  const all: string[] = [];
  for (let end = top.length; end >= 0 && end < directory.length; ) {
    end = directory.indexOf("/", end + 1);
    all.push(end < 0 ? directory : directory.slice(0, end));
  }
  return all;
}
