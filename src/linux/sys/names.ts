/** System calls that make, move and remove names. All take a directory descriptor and never follow a link at the path's end. */
import { pathAddress, syscall } from "./call.ts";
import { AT, S, SYS } from "./flags.ts";
import { libc } from "./libc.ts";
import { lastError, SystemError } from "./system-error.ts";
import { pathArgument } from "./text.ts";

/** mkdirat(2); `mode` is lessened by the umask. */
export function mkdirat(dirfd: number, path: string, mode: number): void {
  if (libc().mkdirat(dirfd, pathArgument(path), mode) < 0) throw lastError("mkdirat", path);
}

/** mknodat(2). `mode` holds the type bits too; `device` is as {@link makeDevice} gives it. */
export function mknodat(dirfd: number, path: string, mode: number, device = 0): void {
  if (libc().mknodat(dirfd, pathArgument(path), mode, device) < 0) throw lastError("mknodat", path);
}

/** symlinkat(2): a link at `path` with the text `target`, which is not checked. */
export function symlinkat(target: string, dirfd: number, path: string): void {
  if (libc().symlinkat(pathArgument(target), dirfd, pathArgument(path)) < 0) throw lastError("symlinkat", path);
}

/** linkat(2): a second name for a file; a symbolic link itself gets one. With `AT.EMPTY_PATH` the file is `oldDirfd`. */
export function linkat(oldDirfd: number, oldPath: string, newDirfd: number, newPath: string, flags = 0): void {
  if (libc().linkat(oldDirfd, pathArgument(oldPath), newDirfd, pathArgument(newPath), flags) < 0) {
    throw lastError("linkat", newPath);
  }
}

/** unlinkat(2) of anything but a directory. */
export function unlinkat(dirfd: number, path: string): void {
  if (libc().unlinkat(dirfd, pathArgument(path), 0) < 0) throw lastError("unlinkat", path);
}

/** unlinkat(2) of an empty directory. */
export function rmdirat(dirfd: number, path: string): void {
  if (libc().unlinkat(dirfd, pathArgument(path), AT.REMOVEDIR) < 0) throw lastError("unlinkat", path);
}

/** renameat2(2); `flags` of `RENAME`. */
export function renameat2(oldDirfd: number, oldPath: string, newDirfd: number, newPath: string, flags = 0): void {
  try {
    const from = pathAddress(oldPath, 0);
    syscall("renameat2", SYS.renameat2, oldDirfd, from, newDirfd, pathAddress(newPath, 1), flags);
  } catch (failure) {
    throw failure instanceof SystemError ? failure.of(oldPath) : failure;
  }
}

/** The kernel's device number of a pair: 12 bits of major, 20 of minor; others are `undefined`. */
export function makeDevice(major: number, minor: number): number | undefined {
  if (!(major >= 0 && major < 4096 && minor >= 0 && minor < 1 << 20)) return undefined;
  return ((major << 8) | (minor & 0xff) | ((minor & ~0xff) << 12)) >>> 0;
}

/** The pair of a device number. */
export function splitDevice(device: number): { readonly major: number; readonly minor: number } {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & ~0xff) };
}

/** What overlayfs takes for a removed name: a character device 0:0. */
export const WHITEOUT_MODE = S.IFCHR;
