import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { MountConfig, RuntimeConfig } from "../../spec/runtime.ts";
import { isBindMount } from "../../spec/validate/mounts.ts";
import type { MountPlace } from "../compile-restore.ts";

/**
 * The mount points that may be missing from a root that was not the container's yet. Those on file systems of the container's own come
 * back with their content; those below a bind are made in what is bound there.
 */
export function mountPlaces({ mounts = [] }: RuntimeConfig, rootfs: string, bundle: string): readonly MountPlace[] {
  return mounts.flatMap((mount, index) => {
    if (mount.type === "cgroup") return [];
    const above = mounts.slice(0, index).findLast(({ destination }) => isBelow(mount.destination, destination));
    const directory = !isBindMount(mount) || isDirectory(sourceOf(mount, bundle));
    if (above === undefined) return [{ top: rootfs, path: mount.destination, directory }];
    if (!isBindMount(above)) return [];
    const top = sourceOf(above, bundle);
    return isDirectory(top) ? [{ top, path: mount.destination.slice(above.destination.length), directory }] : [];
  });
}

function isBelow(path: string, above: string): boolean {
  return path.startsWith(above.endsWith("/") ? above : `${above}/`);
}

function sourceOf({ source = "" }: MountConfig, bundle: string): string {
  return resolve(bundle, source);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
