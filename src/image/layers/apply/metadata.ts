import {
  chmodPathFd,
  fchmod,
  fchown,
  fsetxattr,
  futimens,
  isErrno,
  lchownat,
  lsetxattrat,
  lutimesat,
  O,
  openat,
  withFd,
} from "../../../linux/sys/sys.ts";
import type { TarEntry } from "../tar/entry.ts";

/** What a file gets from the kernel when this process makes it, so that it need not be set. */
export interface Creator {
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

/** This process as a creator of files, in directories that are its own and not set-gid. */
export function thisCreator(): Creator {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, umask: process.umask() };
}

/** Owner, attributes, mode and times of a file that was just made and is open for writing. Changing the owner takes set-uid away. */
export function setFileMetadata(fd: number, entry: TarEntry, creator: Creator): void {
  if (entry.uid !== creator.uid || entry.gid !== creator.gid) fchown(fd, entry.uid, entry.gid);
  if (entry.xattrs !== undefined) setXattrs(entry, (name, value) => fsetxattr(fd, name, value));
  if (!isCreatedAs(entry.mode, creator) || entry.xattrs !== undefined) fchmod(fd, entry.mode);
  futimens(fd, entry.accessed ?? entry.modified, entry.modified);
}

/** Whether open(2) gives a file this very mode. */
function isCreatedAs(mode: number, creator: Creator): boolean {
  return (mode & ~0o777) === 0 && (mode & creator.umask) === 0;
}

/** Owner, attributes, mode and times of a directory that is open for reading. */
export function setDirectoryMetadata(fd: number, entry: TarEntry, creator: Creator): void {
  if (entry.uid !== creator.uid || entry.gid !== creator.gid) fchown(fd, entry.uid, entry.gid);
  setXattrs(entry, (name, value) => fsetxattr(fd, name, value));
  fchmod(fd, entry.mode);
  futimens(fd, entry.accessed ?? entry.modified, entry.modified);
}

/** The same for a link, device or pipe that was just made. The layer is nobody else's, so the name means what it meant. */
export function setNodeMetadata(dirfd: number, name: string, entry: TarEntry, creator: Creator): void {
  if (entry.uid !== creator.uid || entry.gid !== creator.gid) lchownat(dirfd, name, entry.uid, entry.gid);
  setXattrs(entry, (attribute, value) => lsetxattrat(dirfd, name, attribute, value));
  if (entry.type !== "symlink") withFd(openat(dirfd, name, O.PATH | O.NOFOLLOW), (fd) => chmodPathFd(fd, entry.mode));
  lutimesat(dirfd, name, entry.accessed ?? entry.modified, entry.modified);
}

/**
 * What an image may not say: overlayfs' own notes, by which a layer could show other layers' files under new names, and the labels of
 * the host's own security policy, which mean nothing of what the image's maker meant.
 */
export function isAllowedAttribute(attribute: string): boolean {
  const own = attribute.startsWith("trusted.overlay.") || attribute.startsWith("user.overlay.");
  return !own && attribute !== "security.selinux" && attribute !== "security.evm";
}

/** Attributes that the file system does not know or this process may not set are left out, as every peer does. */
function setXattrs(entry: TarEntry, set: (name: string, value: Uint8Array) => void): void {
  for (const [name, value] of entry.xattrs ?? []) {
    if (!isAllowedAttribute(name)) continue;
    try {
      set(name, value);
    } catch (failure) {
      if (!isErrno(failure, "EOPNOTSUPP", "EPERM")) throw failure;
    }
  }
}
