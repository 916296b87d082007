import { GalleyError, toGalleyError } from "../../../errors.ts";
import { removeAt } from "../../../linux/fs-at/fs-at.ts";
import {
  close,
  type FileStatus,
  ftruncate,
  isErrno,
  linkat,
  makeDevice,
  mkdirat,
  mknodat,
  O,
  openat,
  pwriteAll,
  S,
  symlinkat,
  tryLstatat,
  writeAll,
} from "../../../linux/sys/sys.ts";
import type { TarEntry, TarHandler } from "../tar/entry.ts";
import { shown } from "../tar/malformed.ts";
import { DirectoryMetadata } from "./directory-metadata.ts";
import { joined, type LayerPath, layerPath, refused } from "./layer-path.ts";
import { type Creator, setFileMetadata, setNodeMetadata, thisCreator } from "./metadata.ts";
import { OpenDirectories } from "./open-directories.ts";
import { isInMetadata, makeWhiteout, whiteoutOf } from "./whiteout.ts";

/** Ten times the largest images there are; a file system has no room for many more inodes. */
const ENTRIES_MAX = 10_000_000;

const NODE_TYPES = { char: S.IFCHR, block: S.IFBLK, fifo: S.IFIFO } as const;

/** What a layer came to. */
export interface LayerTotals {
  /** Bytes of files, holes counted, hard links once. */
  readonly size: number;
  readonly entries: number;
  /** Which directories hide what lower layers have in them: none, some, or the layer's root, and with it all that is below. */
  readonly opaque: "none" | "some" | "root";
}

/**
 * Writes a layer's entries into a directory in the form overlayfs takes them. Everything is resolved below that directory. Directories
 * get owner, mode and times at the very end, for what is written into them changes those, or is kept out by them.
 */
export class LayerWriter implements TarHandler, Disposable {
  readonly #directories: OpenDirectories;
  readonly #metadata: DirectoryMetadata;
  readonly #creator: Creator;
  #file: { readonly fd: number; readonly entry: TarEntry } | undefined;
  #size = 0;
  #entries = 0;

  /**
   * @param root descriptor of the directory; the caller's to close
   * @param kind `layer`: the directory is empty, and whiteouts are made. `files`: it may hold anything, whose directories are kept,
   * and names mean themselves
   */
  constructor(
    root: number,
    private readonly kind: "layer" | "files" = "layer",
  ) {
    // A directory of somebody else's may be set-gid: what is made in it gets its owner in any case.
    this.#creator = kind === "layer" ? thisCreator() : { ...thisCreator(), uid: -1, gid: -1 };
    this.#directories = new OpenDirectories(root);
    this.#metadata = new DirectoryMetadata(root, this.#creator);
  }

  entry(entry: TarEntry): void {
    if (++this.#entries > ENTRIES_MAX) {
      throw new GalleyError("resource_exhausted", `the layer has more than ${ENTRIES_MAX} entries`, { op: "unpack" });
    }
    try {
      this.#write(entry);
    } catch (failure) {
      throw explained(failure, entry);
    }
  }

  data(bytes: Uint8Array, offset: number): void {
    if (this.#file === undefined) return;
    const { fd, entry } = this.#file;
    try {
      if (entry.segments === undefined) writeAll(fd, bytes);
      else pwriteAll(fd, bytes, offset);
    } catch (failure) {
      throw explained(failure, entry);
    }
  }

  end(): void {
    if (this.#file === undefined) return;
    const { fd, entry } = this.#file;
    try {
      if (entry.segments !== undefined) ftruncate(fd, entry.size);
      setFileMetadata(fd, entry, this.#creator);
      this.#size += entry.size;
    } catch (failure) {
      throw explained(failure, entry);
    } finally {
      this.#close();
    }
  }

  /** All entries have come: completes the directories. */
  finish(): LayerTotals {
    this.#directories.forget();
    this.#metadata.apply();
    return { size: this.#size, entries: this.#entries, opaque: this.#metadata.opaque };
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#directories[Symbol.dispose]();
  }

  #close(): void {
    if (this.#file !== undefined) close(this.#file.fd);
    this.#file = undefined;
  }

  #write(entry: TarEntry): void {
    const path = layerPath(entry.name, entry);
    if (this.kind === "layer") this.#writeInLayer(path, entry);
    else if (path.name !== "") this.#make(path, entry);
  }

  #writeInLayer(path: LayerPath, entry: TarEntry): void {
    const whiteout = whiteoutOf(path.name);
    if (path.name === "") this.#writeRoot(entry);
    else if (isInMetadata(path.parent)) return;
    else if (whiteout === undefined) this.#make(path, entry);
    else if (whiteout.kind === "opaque") this.#markOpaque(path.parent);
    else if (whiteout.kind === "name") this.#remove({ parent: path.parent, name: whiteout.name }, entry);
  }

  #writeRoot(entry: TarEntry): void {
    if (entry.type !== "directory") throw refused(entry, `the layer's root is a ${entry.type}`);
    this.#metadata.set("", entry);
  }

  #markOpaque(path: string): void {
    this.#metadata.markOpaque(this.#directories.real(path));
  }

  /** A whiteout concerns lower layers alone: a directory of this layer stays, and hides what is below it. */
  #remove(path: LayerPath, entry: TarEntry): void {
    if (path.name === "") throw refused(entry, "it removes no name");
    const dirfd = this.#directories.get(path.parent);
    try {
      makeWhiteout(dirfd, path.name);
    } catch (failure) {
      if (!isErrno(failure, "EEXIST")) throw failure;
      if (tryLstatat(dirfd, path.name)?.type === "directory") this.#metadata.markOpaque(this.#real(path));
    }
  }

  #make(path: LayerPath, entry: TarEntry): void {
    try {
      this.#makeNew(path, entry);
    } catch (failure) {
      if (!isErrno(failure, "EEXIST")) throw failure;
      if (this.#replace(path, entry)) this.#makeNew(path, entry);
    }
  }

  #makeNew(path: LayerPath, entry: TarEntry): void {
    const dirfd = this.#directories.get(path.parent);
    const { name } = path;
    switch (entry.type) {
      case "file":
        this.#file = { fd: openat(dirfd, name, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, entry.mode & 0o777), entry };
        return;
      case "directory":
        mkdirat(dirfd, name, 0o700);
        this.#metadata.set(this.#real(path), entry);
        return;
      case "hardlink":
        this.#link(path, entry);
        return;
      case "symlink":
        if (entry.linkName === "") throw refused(entry, "the symbolic link has no target");
        if (entry.linkName.length > 4095) throw refused(entry, "the symbolic link's target is too long");
        symlinkat(entry.linkName, dirfd, name);
        break;
      default:
        makeNode(dirfd, name, entry, entry.type);
    }
    setNodeMetadata(dirfd, name, entry, this.#creator);
  }

  /** Links to what an earlier entry of this layer made. A symbolic link is linked itself, never what it leads to. */
  #link(path: LayerPath, entry: TarEntry): void {
    const target = layerPath(entry.linkName, entry);
    const targetParent = this.#directories.find(target.parent);
    const status = targetParent === undefined ? undefined : tryLstatat(targetParent, target.name);
    if (targetParent === undefined || status === undefined || isWhiteout(status)) {
      throw refused(entry, `its hard link's target ${shown(entry.linkName)} is not in the layer`);
    }
    if (status.type === "directory")
      throw refused(entry, `its hard link's target ${shown(entry.linkName)} is a directory`);
    linkat(targetParent, target.name, this.#directories.get(path.parent), path.name);
  }

  /** Makes way for an entry whose name is taken by an earlier one. Returns whether it is to be made anew. */
  #replace(path: LayerPath, entry: TarEntry): boolean {
    const dirfd = this.#directories.get(path.parent);
    const there = tryLstatat(dirfd, path.name);
    if (there === undefined) return true;
    if (there.type === "directory" && entry.type === "directory") {
      this.#metadata.set(this.#real(path), entry);
      return false;
    }
    if (entry.type === "hardlink" && this.#isLinkOf(there, entry)) return false;
    if (this.kind === "files") refuseOtherKind(there, entry);
    if (there.type === "directory") this.#metadata.forget(this.#real(path));
    removeAt(dirfd, path.name);
    if (there.type === "directory" || there.type === "symlink") this.#directories.forget();
    if (isWhiteout(there) && entry.type === "directory") this.#metadata.markOpaque(this.#real(path));
    return true;
  }

  /** By which a directory is known until its owner, mode and times are set: entries may reach it by different ways. */
  #real(path: LayerPath): string {
    return joined({ parent: this.#directories.real(path.parent), name: path.name });
  }

  #isLinkOf(there: FileStatus, entry: TarEntry): boolean {
    const target = layerPath(entry.linkName, entry);
    const parent = this.#directories.find(target.parent);
    const status = parent === undefined ? undefined : tryLstatat(parent, target.name);
    return status?.inode === there.inode && status.device === there.device;
  }
}

/** What is there was not made by this archive: a directory may hold more than the archive knows. */
function refuseOtherKind(there: FileStatus, entry: TarEntry): void {
  const [from, to] = [there.type === "directory", entry.type === "directory"];
  if (from === to) return;
  const kinds = from ? "directory with non-directory" : "non-directory with directory";
  throw new GalleyError("invalid_argument", `cannot overwrite ${kinds}`, { subject: shown(entry.name) });
}

function isWhiteout(status: FileStatus): boolean {
  return status.type === "char" && status.rdev === 0;
}

function makeNode(dirfd: number, name: string, entry: TarEntry, type: keyof typeof NODE_TYPES): void {
  const device = type === "fifo" ? 0 : makeDevice(entry.major, entry.minor);
  if (device === undefined) throw refused(entry, `there is no device ${entry.major}:${entry.minor}`);
  try {
    mknodat(dirfd, name, NODE_TYPES[type] | 0o600, device);
  } catch (cause) {
    if (type === "fifo" || !isErrno(cause, "EPERM", "EACCES")) throw cause;
    const what = `the layer holds a ${type === "char" ? "character" : "block"} device (${entry.major}:${entry.minor})`;
    throw new GalleyError("permission_denied", `${what}, which needs root's privilege to make`, {
      op: "unpack",
      subject: shown(entry.name),
      cause,
      hint: "run as root",
    });
  }
}

/** Names the entry in what went wrong with it. */
function explained(failure: unknown, entry: TarEntry): GalleyError {
  if (failure instanceof GalleyError) return failure;
  const details = { op: "unpack", subject: shown(entry.name) };
  if (isErrno(failure, "ENOSPC", "EDQUOT")) {
    return toGalleyError(failure, { ...details, hint: "make room on the disk, or use another one with --root" });
  }
  if (isErrno(failure, "EPERM", "EACCES")) return toGalleyError(failure, { ...details, hint: "run as root" });
  if (isErrno(failure, "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EMLINK")) {
    return new GalleyError("invalid_argument", (failure as Error).message, details);
  }
  return toGalleyError(failure, details);
}
