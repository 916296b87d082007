/**
 * Extended attributes, whose values are bytes. What carries them is named by a descriptor, O_PATH included, or by a name in a
 * directory that is not followed; both go by way of procfs where the kernel has no call of its own (setxattrat is Linux 6.13).
 */
import { errno } from "../errno.ts";
import { lastErrno, libc } from "./libc.ts";
import { lastError } from "./system-error.ts";
import { decodeName, pathArgument } from "./text.ts";

/** Longest value and longest list of names (linux/limits.h). */
const SIZE_MAX = 65536;

let buffer: Uint8Array | undefined;

/** fsetxattr(2) on a descriptor that is open for reading or writing. */
export function fsetxattr(fd: number, name: string, value: Uint8Array): void {
  if (libc().fsetxattr(fd, pathArgument(name), pointer(value), value.length, 0) < 0) throw lastError("fsetxattr", name);
}

/** lsetxattr(2) on `name` in a directory. */
export function lsetxattrat(dirfd: number, name: string, attribute: string, value: Uint8Array): void {
  const path = pathArgument(below(dirfd, name));
  if (libc().lsetxattr(path, pathArgument(attribute), pointer(value), value.length, 0) < 0) {
    throw lastError("lsetxattr", `${name} (${attribute})`);
  }
}

/** Value of an attribute of what a descriptor names, `undefined` where there is none or the file system has none at all. */
export function getxattr(fd: number, attribute: string): Uint8Array | undefined {
  buffer ??= new Uint8Array(SIZE_MAX);
  const length = Number(libc().getxattr(`/proc/self/fd/${fd}`, pathArgument(attribute), buffer, SIZE_MAX));
  return value(length, "getxattr", attribute);
}

/** lgetxattr(2) of `name` in a directory; see {@link getxattr}. */
export function lgetxattrat(dirfd: number, name: string, attribute: string): Uint8Array | undefined {
  buffer ??= new Uint8Array(SIZE_MAX);
  const path = pathArgument(below(dirfd, name));
  return value(Number(libc().lgetxattr(path, pathArgument(attribute), buffer, SIZE_MAX)), "lgetxattr", name);
}

/** Names of the attributes of what a descriptor names. */
export function listxattr(fd: number): readonly string[] {
  buffer ??= new Uint8Array(SIZE_MAX);
  return names(Number(libc().listxattr(`/proc/self/fd/${fd}`, buffer, SIZE_MAX)), "listxattr");
}

/** llistxattr(2) of `name` in a directory. */
export function llistxattrat(dirfd: number, name: string): readonly string[] {
  buffer ??= new Uint8Array(SIZE_MAX);
  return names(Number(libc().llistxattr(pathArgument(below(dirfd, name)), buffer, SIZE_MAX)), "llistxattr", name);
}

/** fremovexattr(2). */
export function fremovexattr(fd: number, attribute: string): void {
  if (libc().fremovexattr(fd, pathArgument(attribute)) < 0) throw lastError("fremovexattr", attribute);
}

/** The directory's own link in procfs, which leads to the very inode; `name` after it is not followed by the l-calls. */
function below(dirfd: number, name: string): string {
  return `/proc/self/fd/${dirfd}/${name}`;
}

function pointer(value: Uint8Array): Uint8Array | null {
  return value.length === 0 ? null : value;
}

function value(length: number, syscall: string, path: string): Uint8Array | undefined {
  if (length >= 0) return (buffer as Uint8Array).slice(0, length);
  if (lastErrno() === errno.ENODATA || lastErrno() === errno.EOPNOTSUPP) return undefined;
  throw lastError(syscall, path);
}

function names(length: number, syscall: string, path?: string): readonly string[] {
  if (length === 0) return [];
  if (length > 0) return decodeName((buffer as Uint8Array).subarray(0, length - 1)).split("\0");
  if (lastErrno() === errno.EOPNOTSUPP) return [];
  throw lastError(syscall, path);
}
