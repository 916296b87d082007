import { readFileSync, realpathSync } from "node:fs";
import { type CgroupLayout, detectCgroups, unescapeOctal } from "../linux/cgroups/detect.ts";
import { kernelAtLeast } from "../linux/kernel-version.ts";
import type { RootOptions } from "./root.ts";

/** What the compiler must know of the machine. */
export interface HostFacts {
  readonly cgroups: CgroupLayout;
  readonly overlay: RootOptions;
  /** The mount point of the mount that an existing path lies in. */
  readonly mountAround: (path: string) => string;
}

/** Reads the facts: a few small files of /proc, of which cgroups take the most. */
export function hostFacts(cgroups: CgroupLayout = detectCgroups()): HostFacts {
  return { cgroups, overlay: { layerByLayer: kernelAtLeast(6, 5) }, mountAround };
}

/** Later lines win nothing over earlier ones of the same place: both are the same path to mount_setattr(2). */
function mountAround(path: string): string {
  const real = realpathSync(path);
  let found = "/";
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const point = unescapeOctal(line.split(" ")[4] ?? "");
    if (point.length > found.length && (real === point || real.startsWith(`${point}/`))) found = point;
  }
  return found;
}
