import { mountDetachedOverlay } from "./detached-overlay.ts";
import { attachMount } from "./file-system.ts";
import { MS } from "./flags.ts";
import { mount } from "./mount.ts";
import { close } from "./open.ts";

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
    attachMount(tree, target);
  } finally {
    close(tree);
  }
}
