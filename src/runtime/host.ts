import { release } from "node:os";
import { type CgroupLayout, detectCgroups } from "../linux/cgroups/detect.ts";
import type { RootOptions } from "./root.ts";

/** What the compiler must know of the machine. */
export interface HostFacts {
  readonly cgroups: CgroupLayout;
  readonly overlay: RootOptions;
}

/** Reads the facts: a few small files of /proc, some tens of microseconds. */
export function hostFacts(): HostFacts {
  return { cgroups: detectCgroups(), overlay: { layerByLayer: kernelAtLeast(6, 5) } };
}

function kernelAtLeast(major: number, minor: number): boolean {
  const [ours = 0, ourMinor = 0] = release().split(/[.-]/).map(Number);
  return ours > major || (ours === major && ourMinor >= minor);
}
