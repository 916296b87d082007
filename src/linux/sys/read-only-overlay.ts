import { pathAddress, syscall } from "./call.ts";
import { mountDetachedOverlay } from "./detached-overlay.ts";
import { MS } from "./flags.ts";
import { mount } from "./mount.ts";
import { close } from "./open.ts";

/** The same on every architecture (asm-generic/unistd.h), its flag MOVE_MOUNT_F_EMPTY_PATH (linux/mount.h), and the working directory. */
const MOVE_MOUNT = 429;
const FROM_EMPTY_PATH = 4;
const AT_FDCWD = -100;

/** mount(2) copies one page of options. */
const MOST_OPTIONS = 4000;

/**
 * Mounts directories over one another, the topmost first, so that they can be read at `target`; at least two. More than fit in mount(2)
 * need Linux 6.5.
 */
export function mountReadOnlyOverlay(lower: readonly string[], target: string): void {
  const options = `lowerdir=${lower.map((path) => path.replace(/[\\:,]/g, "\\$&")).join(":")}`;
  if (options.length <= MOST_OPTIONS) mount("overlay", target, "overlay", MS.RDONLY | MS.NODEV, options);
  else mountManyLayers(lower, target);
}

function mountManyLayers(lower: readonly string[], target: string): void {
  const tree = mountDetachedOverlay({ lower });
  try {
    syscall("move_mount", MOVE_MOUNT, tree, pathAddress("", 0), AT_FDCWD, pathAddress(target, 1), FROM_EMPTY_PATH);
  } finally {
    close(tree);
  }
}
