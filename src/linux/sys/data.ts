/** Content of files. Offsets and lengths in bytes. */
import { errno } from "../errno.ts";
import { lastErrno, libc } from "./libc.ts";
import { lastError } from "./system-error.ts";

/** Writes all of `bytes` at the file's position. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const part = done === 0 ? bytes : bytes.subarray(done);
    done += retried(() => libc().write(fd, part, part.length), "write");
  }
}

/** Writes all of `bytes` at `offset`. */
export function pwriteAll(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    const part = done === 0 ? bytes : bytes.subarray(done);
    done += retried(() => libc().pwrite(fd, part, part.length, offset + done), "pwrite");
  }
}

/** Reads into `bytes` from the file's position; returns how many came, 0 at the end. */
export function read(fd: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  return retried(() => libc().read(fd, bytes, bytes.length), "read");
}

/** Reads into `bytes` from `offset`; returns how many came, 0 at the end. */
export function pread(fd: number, bytes: Uint8Array, offset: number): number {
  if (bytes.length === 0) return 0;
  return retried(() => libc().pread(fd, bytes, bytes.length, offset), "pread");
}

/** lseek(2), also for holes and data; `undefined` where there is no more data (ENXIO). */
export function seek(fd: number, offset: number, whence: number): number | undefined {
  const position = Number(libc().lseek(fd, offset, whence));
  if (position >= 0) return position;
  if (lastErrno() === errno.ENXIO) return undefined;
  throw lastError("lseek");
}

/** ftruncate(2), which also makes a file longer, by a hole. */
export function ftruncate(fd: number, size: number): void {
  if (libc().ftruncate(fd, size) < 0) throw lastError("ftruncate");
}

/** fallocate(2); `mode` of `FALLOC`. */
export function fallocate(fd: number, mode: number, offset: number, length: number): void {
  if (libc().fallocate(fd, mode, offset, length) < 0) throw lastError("fallocate");
}

/** copy_file_range(2) at both files' positions: bytes copied, 0 at the end, `undefined` where these two files cannot. */
export function copyFileRange(from: number, to: number, length: number): number | undefined {
  const copied = Number(libc().copy_file_range(from, null, to, null, length, 0));
  if (copied >= 0) return copied;
  if (UNSUPPORTED.includes(lastErrno())) return undefined;
  throw lastError("copy_file_range");
}
/** EINVAL, EXDEV, ENOSYS, EOPNOTSUPP, EPERM, EIO of old kernels: another file system, or one that cannot. */
const UNSUPPORTED = [22, 18, 38, 95, 1];

/** fsync(2). */
export function fsync(fd: number): void {
  if (libc().fsync(fd) < 0) throw lastError("fsync");
}

/** syncfs(2): everything of the file system that `fd` is on. */
export function syncfs(fd: number): void {
  if (libc().syncfs(fd) < 0) throw lastError("syncfs");
}

function retried(call: () => number | bigint, name: string): number {
  for (;;) {
    const result = Number(call());
    if (result >= 0) return result;
    if (lastErrno() !== errno.EINTR) throw lastError(name);
  }
}
