import { posix } from "node:path";
import { GalleyError } from "../../errors.ts";
import { cgroupDirectory, type Hierarchy, ownDirectory } from "./detect.ts";

/**
 * The directory of `linux.cgroupsPath` in a hierarchy. An absolute path counts from what the mount shows, a relative one from this
 * process's own cgroup; in v2 from the one above, as a cgroup with processes of its own cannot give controllers to its children.
 * `..` never leads out. Throws `invalid_argument` for a path that names the top itself.
 */
export function cgroupLocation(hierarchy: Hierarchy, version: 1 | 2, path: string): string {
  const clean = posix.join("/", path);
  if (clean === "/") {
    throw new GalleyError("invalid_argument", "must name a cgroup below the top", { subject: "linux.cgroupsPath" });
  }
  if (path.startsWith("/")) return cgroupDirectory(hierarchy, clean);
  const own = ownDirectory(hierarchy);
  const isTop = own === posix.normalize(hierarchy.mountPoint);
  return posix.join(version === 2 && !isTop ? posix.dirname(own) : own, clean);
}

/** Directories from just below `top` down to `directory`, which lies below it: `/a`, `/b` → `/a/x`, `/a/x/y`. */
export function levels(top: string, directory: string): string[] {
  const names = posix.relative(top, directory).split("/");
  return names.map((_, index) => posix.join(top, ...names.slice(0, index + 1)));
}
