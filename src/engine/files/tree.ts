import type { LayerView } from "../../image/layers/view/view.ts";
import { Root, splitPath, type WalkEntry, walk } from "../../linux/fs-at/fs-at.ts";
import { close, FILE_SYSTEM, type FileStatus, fstatfs, O, openInRoot } from "../../linux/sys/sys.ts";

/** Files of a container for reading, wherever they are kept. Paths are the container's; nothing leads out of it. */
export interface ReadableTree extends Disposable {
  /** Of what the path leads to; with `follow: false` of the last name itself. `undefined` where there is nothing. */
  tryStat(path: string, options?: { readonly follow?: boolean }): FileStatus | undefined;
  /** Target of the link that the last name is. */
  readlink(path: string): string;
  /** A directory and all in it, or one entry for anything else; no link at the path's end is followed. */
  entries(path: string): Iterable<WalkEntry>;
}

/** A directory of the host, or a running container's root, as a tree. */
export class DirectoryTree implements ReadableTree {
  /** Takes over the root. */
  constructor(private readonly root: Root) {}

  static open(path: string): DirectoryTree {
    return new DirectoryTree(Root.open(path));
  }

  tryStat(path: string, options?: { readonly follow?: boolean }): FileStatus | undefined {
    return this.root.tryStat(path, options);
  }

  readlink(path: string): string {
    return this.root.readlink(path);
  }

  *entries(path: string): Generator<WalkEntry, void, undefined> {
    const status = this.root.stat(path, { follow: false });
    if (status.type === "directory") return yield* walk(this.root, path, holdsFiles);
    const { parent, name = "" } = splitPath(path);
    const dirfd = openInRoot(this.root.fd, parent, O.RDONLY | O.DIRECTORY);
    try {
      yield { kind: "other", path: "", name, dirfd, status };
    } finally {
      close(dirfd);
    }
  }

  [Symbol.dispose](): void {
    this.root.close();
  }
}

/** File systems that show the kernel, not files (linux/magic.h): procfs, sysfs, cgroups, devpts, mqueue, debugfs, tracefs, bpf. */
const kernelSystems: ReadonlySet<number> = new Set([
  FILE_SYSTEM.PROC,
  FILE_SYSTEM.CGROUP,
  FILE_SYSTEM.CGROUP2,
  0x62656572,
  0x1cd1,
  0x19800202,
  0x64626720,
  0x74726163,
  0xcafe4a11,
]);

function holdsFiles(mounted: number): boolean {
  return !kernelSystems.has(fstatfs(mounted).type);
}

/** The layers of a container that does not run, as a tree. */
export class LayersTree implements ReadableTree {
  /** Takes over the view. */
  constructor(private readonly view: LayerView) {}

  tryStat(path: string, options?: { readonly follow?: boolean }): FileStatus | undefined {
    return this.view.tryStat(path, options);
  }

  readlink(path: string): string {
    return this.view.readlink(path);
  }

  entries(path: string): Iterable<WalkEntry> {
    return this.view.entries(path);
  }

  [Symbol.dispose](): void {
    this.view[Symbol.dispose]();
  }
}
