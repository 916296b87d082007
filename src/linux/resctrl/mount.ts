/** Where the kernel's resctrl file system is (Documentation/filesystems/resctrl.rst). */
import { existsSync, readFileSync } from "node:fs";
import { unescapeOctal } from "../cgroups/detect.ts";

export interface ResctrlMount {
  readonly path: string;
  /** Mounted with `mba_MBps`: bandwidth is in MB a second and taken as it is, in place of a percentage that is rounded up. */
  readonly inMegabytes: boolean;
}

const USUAL = "/sys/fs/resctrl";

/** The kernel makes this directory where processor and kernel have the feature; it is the administrator who mounts. */
export function hasResctrl(): boolean {
  return existsSync(USUAL);
}

/** The mount at its usual place, else the first one; undefined where it is not mounted. @param mountinfo of proc_pid_mountinfo(5) */
export function findResctrl(mountinfo = readFileSync("/proc/self/mountinfo", "utf8")): ResctrlMount | undefined {
  const lines = mountinfo.split("\n").filter((line) => line.includes(" - resctrl "));
  const mounts = lines.map(mountOf);
  return mounts.find(({ path }) => path === USUAL) ?? mounts[0];
}

function mountOf(line: string): ResctrlMount {
  const [before = "", after = ""] = line.split(" - ");
  const options = after.split(" ")[2] ?? "";
  return { path: unescapeOctal(before.split(" ")[4] ?? ""), inMegabytes: options.split(",").includes("mba_MBps") };
}
