import { release } from "node:os";

/** Whether a kernel release (uname(2), as `6.12.4-arch1`) is at least `major.minor`. The running kernel's, if none is given. */
export function kernelAtLeast(major: number, minor: number, version: string = release()): boolean {
  const [ours, ourMinor] = kernelVersion(version);
  return ours > major || (ours === major && ourMinor >= minor);
}

/** The first two numbers of a kernel release; zero where there is none. */
export function kernelVersion(version: string): readonly [major: number, minor: number] {
  const [major = "", minor = ""] = version.split(".");
  return [Number.parseInt(major, 10) || 0, Number.parseInt(minor, 10) || 0];
}
