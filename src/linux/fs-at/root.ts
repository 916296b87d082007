import { GalleyError } from "../../errors.ts";
import {
  AT_FDCWD,
  close,
  type DirectoryEntry,
  type FileStatus,
  fchmod,
  fchown,
  fstat,
  isErrno,
  lstatat,
  O,
  openat,
  openInRoot,
  read,
  readDirectory,
  readlinkat,
  renameat2,
  withFd,
  writeAll,
} from "../sys/sys.ts";
import { type MakeDirectoryOptions, makeDirectories } from "./make-directories.ts";
import { splitPath, withParent } from "./paths.ts";

export interface WriteOptions {
  /** The lower twelve bits, exactly; 0644 by default. A file that is there already keeps its own. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * A directory that nothing reaches out of: every path given to it is resolved as in a process whose root directory it is, so
 * absolute paths, `..` and symbolic links stay below it, whatever changes them meanwhile (openat2(2), RESOLVE_IN_ROOT). What was
 * resolved is then used by descriptor. Errors are `SystemError`s that name the path as it was given.
 */
export class Root implements Disposable {
  /** Takes over a directory's descriptor; O_PATH suffices. */
  constructor(readonly fd: number) {}

  /** A directory of the host, by its path there. */
  static open(path: string): Root {
    return new Root(openat(AT_FDCWD, path, O.PATH | O.DIRECTORY));
  }

  /** A directory below this one as a root of its own, from which nothing leads back. */
  sub(path: string): Root {
    return new Root(this.open(path, O.PATH | O.DIRECTORY));
  }

  close(): void {
    close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** openat2(2). Flags are those of `O`; opening a device or a pipe for its data is the caller's to avoid, see {@link openFile}. */
  open(path: string, flags: number, mode = 0): number {
    return openInRoot(this.fd, path, flags, mode);
  }

  /** Opens a regular file. Anything else, which opening could wait for or wake up, is refused without being opened. */
  openFile(path: string, flags: number = O.RDONLY): number {
    return withFd(this.open(path, O.PATH), (fd) => {
      const { type } = fstat(fd);
      if (type !== "file")
        throw new GalleyError("failed_precondition", `it is no file but a ${type}`, { subject: path });
      return openat(AT_FDCWD, `/proc/self/fd/${fd}`, flags);
    });
  }

  /** Status of what the path leads to, or with `follow: false` of the last name itself. */
  stat(path: string, options: { readonly follow?: boolean } = {}): FileStatus {
    if (options.follow !== false || splitPath(path).name === undefined) return withFd(this.open(path, O.PATH), fstat);
    return withParent(this.fd, path, "statx", lstatat);
  }

  /** As {@link stat}, `undefined` where there is nothing. */
  tryStat(path: string, options: { readonly follow?: boolean } = {}): FileStatus | undefined {
    try {
      return this.stat(path, options);
    } catch (failure) {
      if (isErrno(failure, "ENOENT", "ENOTDIR")) return undefined;
      throw failure;
    }
  }

  /** Target of the symbolic link that the last name is. */
  readlink(path: string): string {
    return withParent(this.fd, path, "readlinkat", readlinkat);
  }

  /** Entries of a directory, in no order. */
  readdir(path: string): readonly DirectoryEntry[] {
    return withFd(this.open(path, O.RDONLY | O.DIRECTORY), readDirectory);
  }

  /** Content of a regular file of at most `max` bytes; a longer one is `resource_exhausted`. */
  readFile(path: string, max: number): Uint8Array {
    return withFd(this.openFile(path), (fd) => readUpTo(fd, max, path));
  }

  /** Makes a directory and what is missing above it; see {@link makeDirectories}. */
  mkdir(path: string, options: MakeDirectoryOptions = {}): void {
    makeDirectories(this.fd, path, options);
  }

  /** Writes a regular file, following links below the root; replaces the content of one that is there. Its directory must be. */
  writeFile(path: string, content: string | Uint8Array, options: WriteOptions = {}): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    withFd(this.#openForWriting(path, options), (fd) => writeAll(fd, bytes));
  }

  /** Renames within the root; neither name is followed. */
  rename(from: string, to: string, flags = 0): void {
    withParent(this.fd, from, "renameat2", (oldFd, oldName) => {
      withParent(this.fd, to, "renameat2", (newFd, newName) => renameat2(oldFd, oldName, newFd, newName, flags));
    });
  }

  #openForWriting(path: string, options: WriteOptions): number {
    try {
      return this.openFile(path, O.WRONLY | O.TRUNC);
    } catch (failure) {
      if (!isErrno(failure, "ENOENT")) throw failure;
    }
    const fd = this.open(path, O.WRONLY | O.CREAT | O.NONBLOCK, 0o600);
    try {
      fchown(fd, options.uid ?? UNCHANGED, options.gid ?? UNCHANGED);
      fchmod(fd, options.mode ?? 0o644);
      return fd;
    } catch (failure) {
      close(fd);
      throw failure;
    }
  }
}

/** chown(2): (uid_t)-1 leaves it as it is. */
const UNCHANGED = 0xffffffff;

/** One byte more than allowed is asked for, for a file's size is not to be trusted: procfs says 0. */
function readUpTo(fd: number, max: number, path: string): Uint8Array {
  let buffer = new Uint8Array(Math.min(max, Math.max(fstat(fd).size, 4096)) + 1);
  for (let length = 0; ; ) {
    const count = read(fd, buffer.subarray(length));
    length += count;
    if (length > max) {
      throw new GalleyError("resource_exhausted", `the file is larger than ${max} bytes`, {
        op: "read",
        subject: path,
      });
    }
    if (count === 0) return buffer.subarray(0, length);
    if (length === buffer.length) buffer = grown(buffer, max);
  }
}

function grown(buffer: Uint8Array, max: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(2 * buffer.length, max + 1));
  larger.set(buffer);
  return larger;
}
