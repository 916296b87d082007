import { isErrno, O, openInRoot, withFd } from "../../../linux/sys/sys.ts";
import type { TarEntry } from "../tar/entry.ts";
import { type Creator, setDirectoryMetadata } from "./metadata.ts";
import { makeOpaque } from "./whiteout.ts";

/** What is still to be done to the layer's directories once everything is in them. */
export class DirectoryMetadata {
  readonly #entries = new Map<string, TarEntry>();
  readonly #opaque = new Set<string>();

  constructor(
    private readonly root: number,
    private readonly creator: Creator,
  ) {}

  set(path: string, entry: TarEntry): void {
    this.#entries.set(path, entry);
  }

  markOpaque(path: string): void {
    this.#opaque.add(path);
  }

  /** What was marked: no directory, some, or the root. */
  get opaque(): "none" | "some" | "root" {
    if (this.#opaque.has("")) return "root";
    return this.#opaque.size > 0 ? "some" : "none";
  }

  /** The directory was removed, and all in it. */
  forget(path: string): void {
    for (const key of [...this.#entries.keys(), ...this.#opaque]) {
      if (key !== path && !key.startsWith(`${path}/`)) continue;
      this.#entries.delete(key);
      this.#opaque.delete(key);
    }
  }

  /** Does it all, from the last directory to the first, so that none is closed by its mode before what is in it was reached. */
  apply(): void {
    for (const path of this.#opaque) this.#with(path, makeOpaque);
    for (const [path, entry] of [...this.#entries].reverse()) {
      this.#with(path, (fd) => setDirectoryMetadata(fd, entry, this.creator));
    }
  }

  /** A path that means no directory any more, because a link on its way was replaced, has nothing to be done to. */
  #with(path: string, action: (fd: number) => void): void {
    try {
      withFd(openInRoot(this.root, path, O.RDONLY | O.DIRECTORY | O.NOFOLLOW), action);
    } catch (failure) {
      if (!isErrno(failure, "ENOENT", "ENOTDIR", "ELOOP")) throw failure;
    }
  }
}
