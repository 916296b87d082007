import { GalleyError } from "../../../errors.ts";
import { errno } from "../../../linux/errno.ts";
import { type CopyOptions, copyEntries, type Root, type WalkEntry } from "../../../linux/fs-at/fs-at.ts";
import { type DirectoryEntry, type FileStatus, fstat, O, pread, SystemError, withFd } from "../../../linux/sys/sys.ts";
import { type Found, LayerStack, type MergedDirectory } from "./layer-stack.ts";
import { resolve, targetOf } from "./resolve.ts";
import { entryOf, walkStack } from "./walk-stack.ts";

/**
 * The files of an image, or of a container that does not run, as overlayfs would show them, without mounting anything. Paths are
 * those in the image, absolute or not; links stay in it. Errors are `SystemError`s that name the path as it was given.
 *
 *     using view = new LayerView(await snapshotter.lower(image.layers));
 *     const passwd = view.readFile("/etc/passwd", 1 << 20);
 *
 * What is read must not change meanwhile: layers never do, a running container's upper directory does.
 */
export class LayerView implements Disposable {
  readonly #stack: LayerStack;

  /**
   * @param lower directories as `Snapshotter.lower` gives them, topmost first; nothing is opened yet
   * @param upper a container's own directory, on top of all
   */
  constructor(lower: readonly string[], upper?: string) {
    this.#stack = new LayerStack(upper === undefined ? lower : [upper, ...lower]);
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }

  /** Status of what the path leads to, or with `follow: false` of the last name itself. */
  stat(path: string, options: { readonly follow?: boolean } = {}): FileStatus {
    return this.#get(path, options.follow !== false).status;
  }

  /** As {@link stat}, `undefined` where there is nothing. */
  tryStat(path: string, options: { readonly follow?: boolean } = {}): FileStatus | undefined {
    return resolve(this.#stack, path, options.follow !== false)?.status;
  }

  /** The path without links, `.` and `..`, from `/`. */
  realpath(path: string): string {
    return `/${this.#get(path, true).path}`;
  }

  /** Target of the symbolic link that the last name is. */
  readlink(path: string): string {
    const found = this.#get(path, false);
    if (found.status.type !== "symlink" || found.kind !== "file") throw new SystemError(errno.EINVAL, "readlink", path);
    return targetOf(this.#stack, found);
  }

  /** Entries of a directory, in the order of their names. */
  readdir(path: string): readonly DirectoryEntry[] {
    const directory = this.#directory(path);
    return this.#stack.names(directory).map((name) => ({ name, type: this.#stack.find(directory, name)?.status.type }));
  }

  /** Opens a regular file for reading; the descriptor is the caller's. */
  openFile(path: string): number {
    const found = this.#get(path, true);
    if (found.kind === "file" && found.status.type === "file")
      return this.#stack.open(found.layer, found.path, O.RDONLY);
    throw new GalleyError("failed_precondition", `it is no file but a ${found.status.type}`, {
      op: "read",
      subject: path,
    });
  }

  /** Content of a regular file of at most `max` bytes; a longer one is `resource_exhausted`. */
  readFile(path: string, max: number): Uint8Array {
    return withFd(this.openFile(path), (fd) => {
      const { size } = fstat(fd);
      if (size > max) {
        throw new GalleyError("resource_exhausted", `the file is larger than ${max} bytes`, {
          op: "read",
          subject: path,
        });
      }
      const content = new Uint8Array(size);
      return content.subarray(0, pread(fd, content, 0));
    });
  }

  /** All of a directory, as `walk` of a root: each directory before and after its content. */
  walk(path = "/"): Generator<WalkEntry, void, undefined> {
    return walkStack(this.#stack, this.#directory(path));
  }

  /** As {@link walk}; of anything but a directory, the one entry. A link at the path's end is not followed. */
  entries(path: string): Generator<WalkEntry, void, undefined> {
    const found = this.#get(path, false);
    return found.kind === "directory" ? walkStack(this.#stack, found) : entryOf(this.#stack, found);
  }

  /** Copies a directory's content and metadata into a directory that exists; see `copyTree`. */
  copyTo(path: string, target: Root, options: CopyOptions = {}): Promise<void> {
    return copyEntries(this.walk(path), target, "/", options);
  }

  #get(path: string, follow: boolean): Found {
    const found = resolve(this.#stack, path, follow);
    if (found === undefined) throw new SystemError(errno.ENOENT, "open", path);
    return found;
  }

  #directory(path: string): MergedDirectory {
    const found = this.#get(path, true);
    if (found.kind !== "directory") throw new SystemError(errno.ENOTDIR, "open", path);
    return found;
  }
}
