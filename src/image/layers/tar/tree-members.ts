import { linkKey, type WalkEntry } from "../../../linux/fs-at/fs-at.ts";
import {
  close,
  type FileStatus,
  fstat,
  isErrno,
  lgetxattrat,
  llistxattrat,
  O,
  openat,
  pread,
  readlinkat,
  splitDevice,
} from "../../../linux/sys/sys.ts";
import type { NewEntry } from "./write-header.ts";
import type { NewMember } from "./write-tar.ts";

export interface TreeMembersOptions {
  /** What the start of the walk is called in the archive, and all else is put below. Absent: no entry for it, and names from it on. */
  readonly name?: string;
  /** The tree is an overlay mount's upper directory: write removals as a layer's tar has them. */
  readonly whiteouts?: boolean;
}

/** Bytes of a file that are read at once. */
const CHUNK = 1 << 20;

/**
 * Members of an archive of a tree, for `writeTar`: everything but sockets, hard links as such, owners by number, times to the
 * nanosecond, attributes but overlayfs' own. Each is to be written before the next is asked for.
 */
export function* treeMembers(
  entries: Iterable<WalkEntry>,
  options: TreeMembersOptions = {},
): Generator<NewMember, void, undefined> {
  const links = new Map<string, string>();
  for (const entry of entries) {
    const name = nameIn(entry.path, options.name);
    if (entry.kind === "leave" || entry.status.type === "socket") continue;
    const removal = options.whiteouts === true && isWhiteout(entry.status);
    if (removal) yield removalOf(name.slice(0, name.length - entry.name.length), entry.name);
    else if (name !== "") yield* memberOf(entry, name, links);
    if (options.whiteouts === true && isOpaque(entry)) yield removalOf(name === "" ? "" : `${name}/`, ".wh..opq");
  }
}

function nameIn(path: string, start: string | undefined): string {
  if (start === undefined || start === "") return path;
  return path === "" ? start : `${start}/${path}`;
}

function* memberOf(entry: WalkEntry, name: string, links: Map<string, string>): Generator<NewMember> {
  const { status } = entry;
  const first = status.nlink > 1 && status.type !== "directory" ? links.get(linkKey(status)) : undefined;
  if (first !== undefined) {
    yield { entry: { ...common(status, name), type: "hardlink", linkName: first } };
    return;
  }
  if (status.nlink > 1 && status.type !== "directory") links.set(linkKey(status), name);
  const xattrs = xattrsOf(entry);
  if (status.type !== "file") yield { entry: { ...common(status, name), ...special(entry), xattrs } };
  else yield* fileMember(entry, name, xattrs);
}

function common(status: FileStatus, name: string) {
  return { name, mode: status.mode, uid: status.uid, gid: status.gid, modified: status.modified };
}

function special({ status, dirfd, name }: WalkEntry): Pick<NewEntry, "type" | "linkName" | "major" | "minor"> {
  switch (status.type) {
    case "symlink":
      return { type: "symlink", linkName: readlinkat(dirfd, name) };
    case "char":
    case "block":
      return { type: status.type, ...splitDevice(status.rdev) };
    default:
      return { type: status.type === "directory" ? "directory" : "fifo" };
  }
}

/** The size is that of the file that is open, which is the one that is read. One that has gone meanwhile is left out. */
function* fileMember(entry: WalkEntry, name: string, xattrs: ReadonlyMap<string, Uint8Array>): Generator<NewMember> {
  const fd = tryOpen(entry);
  if (fd === undefined) return;
  try {
    const status = fstat(fd);
    const { size } = status;
    yield { entry: { ...common(status, name), type: "file", size, xattrs }, content: contentOf(fd, size) };
  } finally {
    close(fd);
  }
}

function tryOpen({ dirfd, name }: WalkEntry): number | undefined {
  try {
    return openat(dirfd, name, O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
  } catch (failure) {
    if (isErrno(failure, "ENOENT")) return undefined;
    throw failure;
  }
}

/**
 * As many bytes as the file had when it was opened, so that one that grows or shrinks does not make the archive wrong: what is cut off
 * meanwhile counts as zeros, as tar(1) has it.
 */
async function* contentOf(fd: number, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < size; ) {
    const chunk = new Uint8Array(Math.min(CHUNK, size - at));
    const count = pread(fd, chunk, at);
    yield count === 0 ? chunk : chunk.subarray(0, count);
    at += count === 0 ? chunk.length : count;
  }
}

function xattrsOf({ dirfd, name }: WalkEntry): ReadonlyMap<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const attribute of llistxattrat(dirfd, name)) {
    const value = isArchived(attribute) ? lgetxattrat(dirfd, name, attribute) : undefined;
    if (value !== undefined) xattrs.set(attribute, value);
  }
  return xattrs;
}

/** Whether an attribute goes into archives: what overlayfs and the host's security policy note for themselves belongs to this host. */
export function isArchived(attribute: string): boolean {
  const own = attribute.startsWith("trusted.overlay.") || attribute.startsWith("user.overlay.");
  return !own && attribute !== "security.selinux";
}

function isWhiteout(status: FileStatus): boolean {
  return status.type === "char" && status.rdev === 0;
}

function isOpaque({ kind, dirfd, name }: WalkEntry): boolean {
  if (kind !== "enter") return false;
  const value = lgetxattrat(dirfd, name, "trusted.overlay.opaque") ?? lgetxattrat(dirfd, name, "user.overlay.opaque");
  return value?.[0] === 0x79;
}

/** An empty file of this name removes the other (image-spec layer.md, "Whiteouts"). */
function removalOf(directory: string, name: string): NewMember {
  return {
    entry: { name: `${directory}.wh.${name}`, type: "file", mode: 0o600, modified: { seconds: 0, nanoseconds: 0 } },
  };
}
