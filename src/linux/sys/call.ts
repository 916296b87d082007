import { errno } from "../errno.ts";
import { addressOf, lastErrno, libc } from "./libc.ts";
import { lastError, SystemError } from "./system-error.ts";
import { encodeName } from "./text.ts";

/** Longest path that the kernel takes, its NUL included (linux/limits.h). */
export const PATH_MAX = 4096;

/** A system call by number; returns its result, or throws. Numeric arguments alone; buffers by their address. */
export function syscall(name: string, number: number, ...args: readonly number[]): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
  for (;;) {
    const result = Number(libc().syscall(number, a, b, c, d, e, f));
    if (result !== -1) return result;
    if (lastErrno() !== errno.EINTR) throw lastError(name);
  }
}

const scratch: { path?: Uint8Array; address?: number } = {};

/**
 * Address of the path, NUL-terminated, in a buffer that the next call reuses: for one system call at once.
 * @param slot 0 or 1, for calls that take two paths
 */
export function pathAddress(path: string, slot: 0 | 1 = 0): number {
  scratch.path ??= new Uint8Array(2 * PATH_MAX);
  scratch.address ??= addressOf(scratch.path);
  const bytes = encodeName(path);
  if (bytes.includes(0)) throw new SystemError(errno.EINVAL, "path", path.replaceAll("\0", "\\0"));
  if (bytes.length >= PATH_MAX) throw new SystemError(errno.ENAMETOOLONG, "path", path);
  scratch.path.set(bytes, slot * PATH_MAX);
  scratch.path[slot * PATH_MAX + bytes.length] = 0;
  return scratch.address + slot * PATH_MAX;
}
