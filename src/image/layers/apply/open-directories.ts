import { makeDirectories } from "../../../linux/fs-at/fs-at.ts";
import { AT_FDCWD, close, isErrno, O, openInRoot, readlinkat } from "../../../linux/sys/sys.ts";

/** As many as the deepest trees need, and few enough for any limit on descriptors. */
const OPEN_MAX = 48;

/**
 * Descriptors of the directories that entries were written to last: an archive stays in one for long, and comes back to those above.
 * Each was resolved below the root, so that no symbolic link of the layer leads out of it.
 */
export class OpenDirectories implements Disposable {
  readonly #open = new Map<string, number>();
  #lastPath: string | undefined;
  #lastFd = -1;
  #rootPath: string | undefined;

  constructor(private readonly root: number) {}

  /** The directory's descriptor (O_PATH), valid until the next call. What is missing of it is made: 0755, root's. */
  get(path: string): number {
    if (path === this.#lastPath) return this.#lastFd;
    const fd = this.#open.get(path) ?? this.#openNew(path);
    this.#open.delete(path);
    this.#open.set(path, fd);
    this.#lastPath = path;
    this.#lastFd = fd;
    return fd;
  }

  /** As {@link get}, `undefined` where there is no such directory. */
  find(path: string): number | undefined {
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    try {
      close(openInRoot(this.root, path, O.PATH | O.DIRECTORY));
      return this.get(path);
    } catch (failure) {
      if (isErrno(failure, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
      throw failure;
    }
  }

  /** The directory's path from the root without links on the way, by which it is known whatever an entry calls it. */
  real(path: string): string {
    this.#rootPath ??= pathOf(this.root);
    return pathOf(this.get(path)).slice(this.#rootPath.length + 1);
  }

  #openNew(path: string): number {
    if (this.#open.size >= OPEN_MAX) this.#closeOldest();
    return this.#openOrMake(path);
  }

  #closeOldest(): void {
    const [oldest] = this.#open;
    if (oldest === undefined) return;
    this.#open.delete(oldest[0]);
    close(oldest[1]);
  }

  #openOrMake(path: string): number {
    try {
      return openInRoot(this.root, path, O.PATH | O.DIRECTORY);
    } catch (failure) {
      if (!isErrno(failure, "ENOENT")) throw failure;
    }
    makeDirectories(this.root, path);
    return openInRoot(this.root, path, O.PATH | O.DIRECTORY);
  }

  /** Paths may mean something else from now on: a directory or a link was replaced. */
  forget(): void {
    for (const fd of this.#open.values()) close(fd);
    this.#open.clear();
    this.#lastPath = undefined;
  }

  [Symbol.dispose](): void {
    this.forget();
  }
}

function pathOf(fd: number): string {
  return readlinkat(AT_FDCWD, `/proc/self/fd/${fd}`);
}
