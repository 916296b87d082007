import {
  chmodPathFd,
  close,
  type FileStatus,
  fchmod,
  fchown,
  fstat,
  futimens,
  isErrno,
  lchownat,
  lgetxattrat,
  llistxattrat,
  lsetxattrat,
  lutimesat,
  mkdirat,
  mknodat,
  O,
  openat,
  readlinkat,
  S,
  symlinkat,
  withFd,
} from "../sys/sys.ts";
import { copyData } from "./copy-data.ts";

/** One name in an open directory. */
export interface Place {
  readonly dirfd: number;
  readonly name: string;
}

const NODE_TYPES = { char: S.IFCHR, block: S.IFBLK, fifo: S.IFIFO, socket: S.IFSOCK } as const;

/** Copies anything but a directory to a name that must be free: content, owner, mode, times, extended attributes. */
export function copyInode(from: Place, status: FileStatus, to: Place): void {
  switch (status.type) {
    case "directory":
      throw new TypeError("directories are copied by copyTree");
    case "file":
      copyFile(from, to);
      return;
    case "symlink":
      symlinkat(readlinkat(from.dirfd, from.name), to.dirfd, to.name);
      break;
    default:
      mknodat(to.dirfd, to.name, NODE_TYPES[status.type] | 0o600, status.rdev);
  }
  copyMetadata(from, status, to);
}

/** The status is taken anew from the open file, which is the one that is copied whatever the name means by now. */
function copyFile(from: Place, to: Place): void {
  withFd(openat(from.dirfd, from.name, O.RDONLY | O.NOFOLLOW | O.NONBLOCK), (source) => {
    const target = openat(to.dirfd, to.name, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, 0o600);
    try {
      const now = fstat(source);
      copyData(source, target, now.size);
      fchown(target, now.uid, now.gid);
      copyXattrs(from, to);
      fchmod(target, now.mode);
      futimens(target, now.accessed, now.modified);
    } finally {
      close(target);
    }
  });
}

/** Makes a directory, or takes one that is there. Its metadata come last, by {@link copyMetadata}: they may close it. */
export function copyDirectory(to: Place): void {
  try {
    mkdirat(to.dirfd, to.name, 0o700);
  } catch (failure) {
    if (!isErrno(failure, "EEXIST")) throw failure;
  }
}

/** Owner, extended attributes, mode and times, in the order in which none undoes another. */
export function copyMetadata(from: Place, status: FileStatus, to: Place): void {
  lchownat(to.dirfd, to.name, status.uid, status.gid);
  copyXattrs(from, to);
  if (status.type !== "symlink") {
    withFd(openat(to.dirfd, to.name, O.PATH | O.NOFOLLOW), (fd) => chmodPathFd(fd, status.mode));
  }
  lutimesat(to.dirfd, to.name, status.accessed, status.modified);
}

/** What overlayfs notes for itself means something in its own directories alone. */
function isCopied(attribute: string): boolean {
  return !attribute.startsWith("trusted.overlay.") && !attribute.startsWith("user.overlay.");
}

/** An attribute that the target's file system does not know, or that needs a privilege this process lacks, is left out as by cp(1). */
function copyXattrs(from: Place, to: Place): void {
  for (const attribute of llistxattrat(from.dirfd, from.name)) {
    const value = isCopied(attribute) ? lgetxattrat(from.dirfd, from.name, attribute) : undefined;
    if (value === undefined) continue;
    try {
      lsetxattrat(to.dirfd, to.name, attribute, value);
    } catch (failure) {
      if (!isErrno(failure, "EOPNOTSUPP", "EPERM")) throw failure;
    }
  }
}
