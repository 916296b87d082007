/** Ownership, modes and times. */

import { AT } from "./flags.ts";
import { libc } from "./libc.ts";
import { lastError } from "./system-error.ts";
import { pathArgument } from "./text.ts";

/** A moment as the kernel keeps it: whole seconds since 1970, negative before, and 0 to 999,999,999 nanoseconds on top. */
export interface Timespec {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** fchown(2). */
export function fchown(fd: number, uid: number, gid: number): void {
  if (libc().fchown(fd, uid, gid) < 0) throw lastError("fchown");
}

/** fchownat(2) of the name itself, never of what a symbolic link leads to. An empty path means `dirfd`, O_PATH included. */
export function lchownat(dirfd: number, path: string, uid: number, gid: number): void {
  const flags = AT.SYMLINK_NOFOLLOW | (path === "" ? AT.EMPTY_PATH : 0);
  if (libc().fchownat(dirfd, pathArgument(path), uid, gid, flags) < 0) throw lastError("fchownat", path);
}

/** fchmod(2): the lower twelve bits. */
export function fchmod(fd: number, mode: number): void {
  if (libc().fchmod(fd, mode) < 0) throw lastError("fchmod");
}

/**
 * Mode of what an O_PATH descriptor names, by way of procfs. A symbolic link has no mode of its own: EOPNOTSUPP.
 * There is no race: the descriptor was checked, and names one inode for ever.
 */
export function chmodPathFd(fd: number, mode: number): void {
  if (libc().chmod(`/proc/self/fd/${fd}`, mode) < 0) throw lastError("chmod");
}

let times: { readonly view: BigInt64Array; readonly bytes: Uint8Array } | undefined;

/** futimens(2), to the nanosecond. */
export function futimens(fd: number, accessed: Timespec, modified: Timespec): void {
  if (libc().futimens(fd, timesBuffer(accessed, modified)) < 0) throw lastError("futimens");
}

/** utimensat(2) of the name itself. An empty path means `dirfd`, O_PATH included (Linux 5.8). */
export function lutimesat(dirfd: number, path: string, accessed: Timespec, modified: Timespec): void {
  const flags = AT.SYMLINK_NOFOLLOW | (path === "" ? AT.EMPTY_PATH : 0);
  const buffer = timesBuffer(accessed, modified);
  if (libc().utimensat(dirfd, pathArgument(path), buffer, flags) < 0) throw lastError("utimensat", path);
}

function timesBuffer(accessed: Timespec, modified: Timespec): Uint8Array {
  times ??= makeTimes();
  times.view[0] = BigInt(accessed.seconds);
  times.view[1] = BigInt(accessed.nanoseconds);
  times.view[2] = BigInt(modified.seconds);
  times.view[3] = BigInt(modified.nanoseconds);
  return times.bytes;
}

function makeTimes() {
  const view = new BigInt64Array(4);
  return { view, bytes: new Uint8Array(view.buffer) };
}
