import { type CgroupLayout, detectCgroups } from "../linux/cgroups/detect.ts";
import { kernelAtLeast } from "../linux/kernel-version.ts";
import type { RootOptions } from "./root.ts";

/** What the compiler must know of the machine. */
export interface HostFacts {
  readonly cgroups: CgroupLayout;
  readonly overlay: RootOptions;
}

/** Reads the facts: a few small files of /proc. */
export function hostFacts(): HostFacts {
  return { cgroups: detectCgroups(), overlay: { layerByLayer: kernelAtLeast(6, 5) } };
}
