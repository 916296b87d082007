import type { WalkEntry } from "../../linux/fs-at/fs-at.ts";

/** What every container's own mounts stand on (src/engine/bundle/mounts.ts): made where an image has none. */
const mountPoints: ReadonlySet<string> = new Set([
  "dev",
  "proc",
  "sys",
  "etc",
  "etc/hostname",
  "etc/hosts",
  "etc/resolv.conf",
]);

/**
 * Whether something in a container's own layer is no more than what a mount of the engine's stands on: nothing that the container
 * did. The caller knows that the image has nothing of that name, and of a directory, that all in it is of the kind.
 */
export function isMountPoint({ path, status }: Pick<WalkEntry, "path" | "status">): boolean {
  return mountPoints.has(path) && (status.type === "directory" || (status.type === "file" && status.size === 0));
}
