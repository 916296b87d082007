import { GalleyError } from "../../errors.ts";
import { type FileStatus, linkat, O, tryLstatat } from "../sys/sys.ts";
import { copyDirectory, copyInode, copyMetadata } from "./copy-inode.ts";
import { Cursor } from "./cursor.ts";
import { withParent } from "./paths.ts";
import { removeAt } from "./remove-tree.ts";
import type { Root } from "./root.ts";
import { type WalkEntry, walk } from "./walk.ts";

/** Entries and bytes after which other work of this process gets its turn. */
const ENTRIES_PER_TURN = 256;
const BYTES_PER_TURN = 32 << 20;

export interface CopyOptions {
  readonly signal?: AbortSignal;
}

/**
 * Copies the content of one directory into another that exists, with owners, modes, times to the nanosecond, extended attributes,
 * hard links, holes and devices; the directory's own metadata too. What is in the way of a file is replaced, directories are merged.
 * Never leaves either root. Stops with `canceled` between two entries; what was copied by then stays.
 */
export async function copyTree(
  source: Root,
  sourcePath: string,
  target: Root,
  targetPath: string,
  options: CopyOptions = {},
): Promise<void> {
  await copyEntries(walk(source, sourcePath), target, targetPath, options);
}

/** As {@link copyTree}, of a walk through anything that is like a tree. */
export async function copyEntries(
  source: Iterable<WalkEntry>,
  target: Root,
  targetPath: string,
  options: CopyOptions = {},
): Promise<void> {
  using copier = new Copier(target.sub(targetPath));
  let entries = 0;
  let bytes = 0;
  for (const entry of source) {
    copier.copy(entry);
    bytes += entry.kind === "other" ? entry.status.size : 0;
    if (++entries < ENTRIES_PER_TURN && bytes < BYTES_PER_TURN) continue;
    entries = bytes = 0;
    await Bun.sleep(0);
    if (options.signal?.aborted === true) throw new GalleyError("canceled", "the copy was called off", { op: "copy" });
  }
}

/** Follows a walk with a cursor of its own in the target. */
class Copier implements Disposable {
  readonly #cursor: Cursor;
  /** Where a file of several names was copied to first, by device and inode. */
  readonly #links = new Map<string, string>();

  constructor(private readonly root: Root) {
    this.#cursor = new Cursor(root.open("/", O.RDONLY | O.DIRECTORY));
  }

  copy(entry: WalkEntry): void {
    const from = { dirfd: entry.dirfd, name: entry.name };
    if (entry.kind === "leave") {
      if (entry.path !== "") this.#cursor.leave();
      copyMetadata(from, entry.status, { dirfd: this.#cursor.fd, name: entry.name });
      return;
    }
    if (entry.path === "") return;
    const to = { dirfd: this.#cursor.fd, name: entry.name };
    this.#clear(entry);
    if (entry.kind === "other") {
      if (!this.#linked(entry)) copyInode(from, entry.status, to);
      return;
    }
    copyDirectory(to);
    this.#cursor.enter(entry.name);
  }

  #clear(entry: WalkEntry): void {
    const there = tryLstatat(this.#cursor.fd, entry.name);
    if (there === undefined || (entry.kind === "enter" && there.type === "directory")) return;
    removeAt(this.#cursor.fd, entry.name);
  }

  /** Makes a further name of a file that was copied before; notes the first one. */
  #linked({ status, path, name }: WalkEntry): boolean {
    if (status.nlink < 2) return false;
    const key = linkKey(status);
    const first = this.#links.get(key);
    if (first === undefined) {
      this.#links.set(key, path);
      return false;
    }
    withParent(this.root.fd, first, "linkat", (dirfd, firstName) => linkat(dirfd, firstName, this.#cursor.fd, name));
    return true;
  }

  [Symbol.dispose](): void {
    this.#cursor[Symbol.dispose]();
    this.root.close();
  }
}

/** The same for all names of one file. */
export function linkKey(status: FileStatus): string {
  return `${status.device}:${status.inode}`;
}
