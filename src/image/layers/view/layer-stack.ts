import { Root } from "../../../linux/fs-at/fs-at.ts";
import {
  type FileStatus,
  fstat,
  getxattr,
  isErrno,
  O,
  openat2,
  RESOLVE,
  readDirectory,
  withFd,
} from "../../../linux/sys/sys.ts";

/** A directory as overlayfs shows it: which layers it is made of, topmost first. Its path is the same in each. */
export interface MergedDirectory {
  readonly kind: "directory";
  /** From the root, without a slash before; the root is `""`. */
  readonly path: string;
  readonly layers: readonly number[];
  /** Of the topmost. */
  readonly status: FileStatus;
}

/** Anything else: the topmost layer that has the name gives it. */
export interface LayerFile {
  readonly kind: "file";
  readonly path: string;
  readonly layer: number;
  readonly status: FileStatus;
}

export type Found = MergedDirectory | LayerFile;

/** How a layer's own paths are opened: they were found to hold no links, and must not do so by now. */
const WITHIN = RESOLVE.IN_ROOT | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS;

/**
 * Directories stacked as overlayfs does (Documentation/filesystems/overlayfs.rst): a name is that of the topmost layer that has it,
 * directories of one name are merged, a device 0:0 removes a name, an attribute removes all that lower layers have in a directory.
 * Directories that overlayfs has renamed (`redirect_dir`) are not followed to where they were.
 */
export class LayerStack implements Disposable {
  readonly #roots: (Root | undefined)[];

  /** @param directories topmost first; opened when they are looked into */
  constructor(private readonly directories: readonly string[]) {
    this.#roots = directories.map(() => undefined);
  }

  /** Opens a path of one layer; no link is followed, also not at its end. */
  open(layer: number, path: string, flags: number): number {
    return openat2(this.#root(layer).fd, path === "" ? "." : path, flags | O.NOFOLLOW, 0, WITHIN);
  }

  /** The root of all. */
  root(): MergedDirectory {
    const all = this.directories.map((_, layer) => layer);
    const status = withFd(this.open(0, "", O.PATH), fstat);
    return { kind: "directory", path: "", layers: all, status };
  }

  /** What a name in a directory means; `undefined` where there is none. */
  find(directory: MergedDirectory, name: string): Found | undefined {
    const path = directory.path === "" ? name : `${directory.path}/${name}`;
    const layers: number[] = [];
    let top: FileStatus | undefined;
    for (const layer of directory.layers) {
      const found = this.#look(layer, path, layer !== directory.layers.at(-1));
      if (found === undefined) continue;
      if (isWhiteout(found.status)) break;
      if (found.status.type !== "directory") {
        if (top === undefined) return { kind: "file", path, layer, status: found.status };
        break;
      }
      top ??= found.status;
      layers.push(layer);
      if (found.opaque) break;
    }
    return top === undefined ? undefined : { kind: "directory", path, layers, status: top };
  }

  /** Names in a directory, in the order of their text. */
  names(directory: MergedDirectory): readonly string[] {
    const names = new Set<string>();
    const removed = new Set<string>();
    for (const layer of directory.layers) {
      for (const { name, type } of this.#entries(layer, directory.path)) {
        if (names.has(name) || removed.has(name)) continue;
        const hides = (type === undefined || type === "char") && this.#isWhiteout(layer, directory.path, name);
        (hides ? removed : names).add(name);
      }
    }
    return [...names].sort();
  }

  [Symbol.dispose](): void {
    for (const root of this.#roots) root?.close();
    this.#roots.fill(undefined);
  }

  #root(layer: number): Root {
    const root = this.#roots[layer] ?? Root.open(this.directories[layer] ?? "");
    this.#roots[layer] = root;
    return root;
  }

  #entries(layer: number, path: string) {
    return withFd(this.open(layer, path, O.RDONLY | O.DIRECTORY), readDirectory);
  }

  #isWhiteout(layer: number, parent: string, name: string): boolean {
    const found = this.#look(layer, parent === "" ? name : `${parent}/${name}`, false);
    return found !== undefined && isWhiteout(found.status);
  }

  /** Whether a directory is opaque is looked at only where there are layers for it to hide. */
  #look(
    layer: number,
    path: string,
    hides: boolean,
  ): { readonly status: FileStatus; readonly opaque: boolean } | undefined {
    let fd: number;
    try {
      fd = this.open(layer, path, O.PATH);
    } catch (failure) {
      if (isErrno(failure, "ENOENT", "ENOTDIR")) return undefined;
      throw failure;
    }
    return withFd(fd, () => {
      const status = fstat(fd);
      return { status, opaque: hides && status.type === "directory" && isOpaque(fd) };
    });
  }
}

function isWhiteout(status: FileStatus): boolean {
  return status.type === "char" && status.rdev === 0;
}

function isOpaque(fd: number): boolean {
  const value = getxattr(fd, "trusted.overlay.opaque") ?? getxattr(fd, "user.overlay.opaque");
  return value?.[0] === 0x79;
}
