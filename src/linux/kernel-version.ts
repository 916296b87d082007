import { readFileSync } from "node:fs";

let running: string | undefined;

/** The running kernel's release, as `6.12.4-arch1`. Read from /proc, as loading node:os for uname(2) takes ten times as long. */
export function kernelRelease(): string {
  running ??= readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
  return running;
}

/** Whether a kernel release (uname(2)) is at least `major.minor`. The running kernel's, if none is given. */
export function kernelAtLeast(major: number, minor: number, version: string = kernelRelease()): boolean {
  const [ours, ourMinor] = kernelVersion(version);
  return ours > major || (ours === major && ourMinor >= minor);
}

/** The first two numbers of a kernel release; zero where there is none. */
export function kernelVersion(version: string): readonly [major: number, minor: number] {
  const [major = "", minor = ""] = version.split(".");
  return [Number.parseInt(major, 10) || 0, Number.parseInt(minor, 10) || 0];
}
