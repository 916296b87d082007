import { closeSync, existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { mountAttr } from "../../linux/mount-words.ts";
import { attachMount, isErrno, lockFile, UMOUNT, umount } from "../../linux/sys/sys.ts";
import type { LayerMount } from "./layer-mount.ts";
import { mountErofs, type PairFiles } from "./mount-erofs.ts";
import { HAS_OPAQUE } from "./read-image-file.ts";

/** Neither devices nor set-uid programs of a layer mean anything on the host; what overlayfs makes of them is its own mount's matter. */
const ATTRIBUTES = mountAttr.RDONLY | mountAttr.NOSUID | mountAttr.NODEV;

/** Mounts a layer unless another process has done so meanwhile; gives the place. */
export async function mountLayer(mount: LayerMount, files: PairFiles): Promise<string> {
  mkdirSync(mount.path, { recursive: true, mode: 0o700 });
  using _lock = await lockFile(join(mount.directory, "lock"), "exclusive");
  if (isMounted(mount)) return mount.path;
  if (existsSync(join(dirname(files.index), HAS_OPAQUE))) writeFileSync(join(mount.directory, HAS_OPAQUE), "");
  try {
    const fd = mountErofs(files, ATTRIBUTES);
    try {
      attachMount(fd, mount.path);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw unmountable(mount, cause);
  }
  return mount.path;
}

/** Takes the mount away, if there is one. Overlays that stand on it keep the file system until they are gone themselves. */
export async function unmountLayer(mount: LayerMount): Promise<void> {
  if (!existsSync(mount.directory)) return;
  using _lock = await lockFile(join(mount.directory, "lock"), "exclusive");
  try {
    while (isMounted(mount)) umount(mount.path, UMOUNT.DETACH | UMOUNT.NOFOLLOW);
    rmSync(mount.directory, { recursive: true, force: true });
  } catch (failure) {
    // In a mount namespace of somebody else's it is still mounted, and removed all the same when that ends.
    if (!isErrno(failure, "EBUSY")) throw toGalleyError(failure, { op: "unmount layer", subject: mount.diffId });
  }
}

function isMounted(mount: LayerMount): boolean {
  const inner = lstatSync(mount.path, { throwIfNoEntry: false });
  return inner !== undefined && inner.dev !== lstatSync(mount.directory).dev;
}

function unmountable(mount: LayerMount, cause: unknown): GalleyError {
  const { code, message } = toGalleyError(cause);
  return new GalleyError(code, message, {
    op: "mount layer",
    subject: mount.diffId,
    cause,
    hint: "this kernel does not mount the layer's index; galley system migrate --to directories unpacks what is kept",
  });
}
