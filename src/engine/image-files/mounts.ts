import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import type { ImageRecord } from "../../image/types.ts";
import { mountPoints } from "../../linux/mount-points.ts";
import { mountReadOnlyOverlay, UMOUNT, umount } from "../../linux/sys/sys.ts";
import type { StorePaths } from "../../state/paths.ts";
import type { Parts } from "../lifecycle/parts.ts";

/** A layer with nothing in it: overlayfs takes at least two. */
const EMPTY = "empty";

/** Layers that overlayfs takes (OVL_MAX_STACK), one of which is the empty one. */
const MAX_LOWER = 500;

/** Where an image is mounted for the host to look at. */
export function imageMountPoint({ imageMounts }: StorePaths, id: string): string {
  return join(imageMounts, id.slice(id.indexOf(":") + 1));
}

/** How often each image is mounted, by its ID: the kernel counts, for one mount stands over the other. */
export function mountCounts(paths: StorePaths): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  if (!isUsed(paths)) return counts;
  for (const point of mountPoints()) {
    if (!point.startsWith(`${paths.imageMounts}/`)) continue;
    const id = `sha256:${point.slice(paths.imageMounts.length + 1)}`;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** Most stores never mount an image; they need not read the table of mounts. */
function isUsed({ imageMounts }: StorePaths): boolean {
  try {
    return readdirSync(imageMounts).some((name) => name !== EMPTY);
  } catch (failure) {
    if (toGalleyError(failure).code === "not_found") return false;
    throw failure;
  }
}

/** Mounts an image for reading, once more if it is mounted already; gives the mount point. */
export async function mountImage(parts: Parts, image: ImageRecord): Promise<string> {
  const point = imageMountPoint(parts.paths, image.id);
  const empty = join(parts.paths.imageMounts, EMPTY);
  for (const directory of [empty, point]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  await parts.images.unpack(image);
  const lower = await parts.snapshotter.lower(image.layers);
  if (lower.length === 0) throw new GalleyError("failed_precondition", "the image has no layers", about(image));
  if (lower.length >= MAX_LOWER) throw tooMany(image, lower.length);
  try {
    mountReadOnlyOverlay([...lower, empty], point);
  } catch (failure) {
    removeIfEmpty(point);
    throw new GalleyError(toGalleyError(failure).code, "it cannot be mounted", { ...about(image), cause: failure });
  }
  return point;
}

function tooMany(image: ImageRecord, layers: number): GalleyError {
  const message = `it has ${layers} layers, and overlayfs takes ${MAX_LOWER}`;
  return new GalleyError("failed_precondition", message, about(image));
}

function about({ id }: ImageRecord) {
  return { op: "mount image", subject: id };
}

/** Takes away one mount of an image, or all with `force`. Gives whether there was one. */
export function unmountImage(paths: StorePaths, id: string, force: boolean): boolean {
  const count = mountCounts(paths).get(id) ?? 0;
  const point = imageMountPoint(paths, id);
  for (let left = force ? count : Math.min(count, 1); left > 0; left--) {
    umount(point, force ? UMOUNT.DETACH | UMOUNT.NOFOLLOW : UMOUNT.NOFOLLOW);
  }
  if (count <= 1 || force) removeIfEmpty(point);
  return count > 0;
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Somebody else mounts on it just now, or it never was.
  }
}
