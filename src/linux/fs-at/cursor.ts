import { GalleyError } from "../../errors.ts";
import { close, type FileStatus, fstat, isErrno, O, openat, openat2, RESOLVE } from "../sys/sys.ts";

/** A level above the current directory: what `..` must lead back to. */
interface Level {
  readonly name: string;
  readonly inode: bigint;
  readonly device: number;
}

/**
 * A place in a tree, moved down and up by one name at a time. It holds one descriptor however deep it is, so that no depth of
 * directories exhausts descriptors, stack or PATH_MAX. On the way up it checks that it comes to where it came from: a tree that
 * somebody moves meanwhile ends the walk instead of leading it elsewhere. It never follows a link, and enters another mount only where
 * it was told to.
 */
export class Cursor implements Disposable {
  #fd: number;
  readonly #levels: Level[] = [];

  /**
   * Takes over the descriptor of a directory that is open for reading.
   * @param crosses whether a mount on the way down is entered, by a descriptor of its root; absent: none is
   */
  constructor(
    fd: number,
    private readonly crosses?: (mounted: number) => boolean,
  ) {
    this.#fd = fd;
  }

  /** The current directory, open for reading. */
  get fd(): number {
    return this.#fd;
  }

  get depth(): number {
    return this.#levels.length;
  }

  /** Path of the current directory from where the cursor began, `""` there. */
  get path(): string {
    return this.#levels.map((level) => level.name).join("/");
  }

  /** Path of a name in the current directory. */
  pathOf(name: string): string {
    return this.#levels.length === 0 ? name : `${this.path}/${name}`;
  }

  /** Goes into a directory. Fails with EXDEV where another file system is mounted on it, ENOTDIR or ELOOP where it is none. */
  enter(name: string): void {
    const { inode, device } = fstat(this.#fd);
    const child = this.#open(name);
    close(this.#fd);
    this.#fd = child;
    this.#levels.push({ name, inode, device });
  }

  #open(name: string): number {
    const flags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW;
    const resolve = RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS;
    try {
      return openat2(this.#fd, name, flags, 0, resolve | RESOLVE.NO_XDEV);
    } catch (failure) {
      if (this.crosses === undefined || !isErrno(failure, "EXDEV")) throw failure;
      const mounted = openat2(this.#fd, name, flags, 0, resolve);
      if (this.crosses(mounted)) return mounted;
      close(mounted);
      throw failure;
    }
  }

  /** Goes up, and returns the name of the directory that it left. */
  leave(): string {
    const level = this.#levels.at(-1);
    if (level === undefined) throw new GalleyError("internal", "there is nothing above the start of a tree");
    const parent = openat(this.#fd, "..", O.RDONLY | O.DIRECTORY);
    close(this.#fd);
    this.#fd = parent;
    if (!isSame(fstat(parent), level)) {
      throw new GalleyError("aborted", "the directory was moved while it was being read", { subject: this.path });
    }
    this.#levels.pop();
    return level.name;
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}

function isSame(status: FileStatus, level: Level): boolean {
  return status.inode === level.inode && status.device === level.device;
}
