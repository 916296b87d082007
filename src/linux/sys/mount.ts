import { libc } from "./libc.ts";
import { lastError } from "./system-error.ts";
import { pathArgument } from "./text.ts";

/** mount(2), for repair alone; containers' mounts are steps of a recipe. `flags` of `MS`. */
export function mount(source: string, target: string, type: string, flags: number, data = ""): void {
  const result = libc().mount(
    pathArgument(source),
    pathArgument(target),
    pathArgument(type),
    flags,
    pathArgument(data),
  );
  if (result < 0) throw lastError("mount", target);
}

/** umount2(2); `flags` of `UMOUNT`. */
export function umount(target: string, flags: number): void {
  if (libc().umount2(pathArgument(target), flags) < 0) throw lastError("umount2", target);
}

/** What a file system says of itself (statfs(2)). Sizes in bytes; `available` is what a user without privilege may use. */
export interface FileSystemStatus {
  /** Magic number of its kind (linux/magic.h). */
  readonly type: number;
  readonly size: number;
  readonly free: number;
  readonly available: number;
  readonly inodes: number;
  readonly freeInodes: number;
}

/** Magic numbers of statfs (linux/magic.h). */
export const FILE_SYSTEM = {
  EXT: 0xef53,
  TMPFS: 0x01021994,
  OVERLAYFS: 0x794c7630,
  XFS: 0x58465342,
  BTRFS: 0x9123683e,
  CGROUP: 0x27e0eb,
  CGROUP2: 0x63677270,
  PROC: 0x9fa0,
  EROFS: 0xe0f5e1e2,
} as const;

/** fstatfs(2) of the file system that a descriptor is on. */
export function fstatfs(fd: number): FileSystemStatus {
  const buffer = new Uint8Array(120);
  if (libc().fstatfs(fd, buffer) < 0) throw lastError("fstatfs");
  const view = new DataView(buffer.buffer);
  const word = (index: number) => Number(view.getBigUint64(8 * index, true));
  const block = word(1);
  return {
    type: view.getUint32(0, true),
    size: word(2) * block,
    free: word(3) * block,
    available: word(4) * block,
    inodes: word(5),
    freeInodes: word(6),
  };
}
