import { errno } from "../errno.ts";
import { PATH_MAX, pathAddress, syscall } from "./call.ts";
import { O, RESOLVE, SYS } from "./flags.ts";
import { addressOf, lastErrno, libc } from "./libc.ts";
import { isErrno, lastError, SystemError } from "./system-error.ts";
import { decodeName, pathArgument } from "./text.ts";

/** openat(2); the descriptor is closed on exec. `mode` applies to a file that is created, less the umask. */
export function openat(dirfd: number, path: string, flags: number, mode = 0): number {
  const argument = pathArgument(path);
  for (;;) {
    const fd = libc().openat(dirfd, argument, flags | O.CLOEXEC, mode);
    if (fd >= 0) return fd;
    if (lastErrno() !== errno.EINTR) throw lastError("openat", path);
  }
}

let openHow: { readonly how: BigUint64Array; readonly address: number } | undefined;

/** Resolution that a rename disturbs is tried again this often before it counts as a failure. */
const RETRIES = 128;

/** openat2(2), Linux 5.6. `resolve` is of {@link RESOLVE}. A resolution that a concurrent rename disturbed is repeated. */
export function openat2(dirfd: number, path: string, flags: number, mode: number, resolve: number): number {
  openHow ??= makeOpenHow();
  openHow.how[0] = BigInt(flags | O.CLOEXEC);
  openHow.how[1] = BigInt((flags & (O.CREAT | (O.TMPFILE & ~O.DIRECTORY))) === 0 ? 0 : mode);
  openHow.how[2] = BigInt(resolve);
  for (let attempt = 1; ; attempt++) {
    try {
      return syscall("openat2", SYS.openat2, dirfd, pathAddress(path), openHow.address, 24);
    } catch (failure) {
      if (!isErrno(failure, "EAGAIN") || attempt > RETRIES) throw named(failure, path);
    }
  }
}

function makeOpenHow() {
  const how = new BigUint64Array(3);
  return { how, address: addressOf(new Uint8Array(how.buffer)) };
}

/**
 * Opens `path` as a process would whose root directory is `root`: absolute paths, `..` and symbolic links stay below it, and links
 * of procfs that lead elsewhere are refused (ELOOP). See ../fs-at/ for whole operations.
 */
export function openInRoot(root: number, path: string, flags: number, mode = 0): number {
  return openat2(root, path === "" ? "." : path, flags, mode, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
}

/** close(2), whose errors say nothing that a caller could act on. */
export function close(fd: number): void {
  libc().close(fd);
}

/** Calls `use` with a descriptor and closes it, whatever happens. */
export function withFd<T>(fd: number, use: (fd: number) => T): T {
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}

/** readlinkat(2): the target's text. An empty `path` reads the link that `dirfd` was opened on (O_PATH, O_NOFOLLOW). */
export function readlinkat(dirfd: number, path: string): string {
  const buffer = new Uint8Array(PATH_MAX);
  const length = Number(libc().readlinkat(dirfd, pathArgument(path), buffer, BigInt(buffer.length)));
  if (length < 0) throw lastError("readlinkat", path);
  if (length === buffer.length) throw new SystemError(errno.ENAMETOOLONG, "readlinkat", path);
  return decodeName(buffer.subarray(0, length));
}

/** The same with the system call's own error, which knows no path. */
function named(failure: unknown, path: string): unknown {
  return failure instanceof SystemError ? failure.of(path) : failure;
}
