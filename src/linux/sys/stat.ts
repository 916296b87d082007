import { errno } from "../errno.ts";
import type { Timespec } from "./attributes.ts";
import { AT, S } from "./flags.ts";
import { lastErrno, libc } from "./libc.ts";
import { lastError } from "./system-error.ts";
import { pathArgument } from "./text.ts";

export type FileType = "file" | "directory" | "symlink" | "char" | "block" | "fifo" | "socket";

/** What the kernel knows of an inode. */
export interface FileStatus {
  readonly type: FileType;
  /** The lower twelve bits: permissions, set-uid, set-gid, sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** Bytes. */
  readonly size: number;
  /** Units of 512 bytes, whatever the file system's block size is. */
  readonly blocks: number;
  readonly inode: bigint;
  /** Device of the file system, and the device that a device file stands for; numbers as `makeDevice` gives them. */
  readonly device: number;
  readonly rdev: number;
  readonly accessed: Timespec;
  readonly modified: Timespec;
  readonly changed: Timespec;
  /** ID of the mount it was reached through (Linux 5.8). */
  readonly mountId: number;
  /** Marked as not to be changed, or only to be appended to (chattr +i, +a): not even root can remove it. */
  readonly immutable: boolean;
}

/** STATX_BASIC_STATS | STATX_MNT_ID (linux/stat.h). */
const MASK = 0x7ff | 0x1000;

/** STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND. */
const ATTRIBUTES = 0x10 | 0x20;

let buffer: { readonly bytes: Uint8Array; readonly view: DataView } | undefined;

/** Status of the name itself; a link is not followed. An empty path means `dirfd`. */
export function lstatat(dirfd: number, path: string): FileStatus {
  const status = statx(dirfd, path, AT.SYMLINK_NOFOLLOW);
  if (status === undefined) throw lastError("statx", path);
  return status;
}

/** As {@link lstatat}, `undefined` where there is no such name. */
export function tryLstatat(dirfd: number, path: string): FileStatus | undefined {
  const status = statx(dirfd, path, AT.SYMLINK_NOFOLLOW);
  if (status === undefined && lastErrno() !== errno.ENOENT && lastErrno() !== errno.ENOTDIR)
    throw lastError("statx", path);
  return status;
}

/** Status of what a descriptor names, O_PATH included. */
export function fstat(fd: number): FileStatus {
  const status = statx(fd, "", 0);
  if (status === undefined) throw lastError("statx");
  return status;
}

/** statx(2), whose structure is the same on every architecture. */
function statx(dirfd: number, path: string, flags: number): FileStatus | undefined {
  const argument = pathArgument(path);
  buffer ??= makeBuffer();
  const all = flags | AT.NO_AUTOMOUNT | (path === "" ? AT.EMPTY_PATH : 0);
  if (libc().statx(dirfd, argument, all, MASK, buffer.bytes) < 0) return undefined;
  return parse(buffer.view);
}

function makeBuffer() {
  const bytes = new Uint8Array(256);
  return { bytes, view: new DataView(bytes.buffer) };
}

function parse(view: DataView): FileStatus {
  const mode = view.getUint16(28, true);
  return {
    type: typeOf(mode),
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    nlink: view.getUint32(16, true),
    size: number64(view, 40),
    blocks: number64(view, 48),
    inode: view.getBigUint64(32, true),
    device: device(view, 136),
    rdev: device(view, 128),
    accessed: timespec(view, 64),
    modified: timespec(view, 112),
    changed: timespec(view, 96),
    mountId: number64(view, 144),
    immutable: (view.getUint32(8, true) & ATTRIBUTES) !== 0,
  };
}

function typeOf(mode: number): FileType {
  switch (mode & S.IFMT) {
    case S.IFREG:
      return "file";
    case S.IFDIR:
      return "directory";
    case S.IFLNK:
      return "symlink";
    case S.IFCHR:
      return "char";
    case S.IFBLK:
      return "block";
    case S.IFIFO:
      return "fifo";
    default:
      return "socket";
  }
}

function number64(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

function device(view: DataView, at: number): number {
  const minor = view.getUint32(at + 4, true);
  return ((view.getUint32(at, true) << 8) | (minor & 0xff) | ((minor & ~0xff) << 12)) >>> 0;
}

function timespec(view: DataView, at: number): Timespec {
  return { seconds: number64(view, at), nanoseconds: view.getUint32(at + 8, true) };
}
