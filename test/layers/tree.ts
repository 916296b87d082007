import { readFileSync } from "node:fs";
import { Root, type WalkEntry, walk } from "../../src/linux/fs-at/fs-at.ts";
import { close, lgetxattrat, llistxattrat, O, openat, readlinkat, type Timespec } from "../../src/linux/sys/sys.ts";

/** Everything of an inode that a layer is about, as text that differs where the inodes do. */
export interface Inode {
  readonly path: string;
  readonly [property: string]: unknown;
}

export interface DescribeOptions {
  /** Leave out directories' times, which an overlay mount may have of another layer. */
  readonly times?: boolean;
  /** Compare how much of a file is on disk. */
  readonly blocks?: boolean;
}

/** All inodes below a host directory, in order; hard links by the first of their names. */
export function describeTree(directory: string, options: DescribeOptions = {}): readonly Inode[] {
  using root = Root.open(directory);
  return describeEntries(walk(root), options);
}

/** The same of any walk. */
export function describeEntries(entries: Iterable<WalkEntry>, options: DescribeOptions = {}): readonly Inode[] {
  const links = new Map<string, string>();
  const found: Inode[] = [];
  for (const entry of entries) if (entry.kind !== "leave") found.push(describe(entry, links, options));
  return found;
}

function describe(
  { path, name, dirfd, status }: WalkEntry,
  links: Map<string, string>,
  options: DescribeOptions,
): Inode {
  const key = `${status.device}:${status.inode}`;
  const first = links.get(key) ?? path;
  links.set(key, first);
  const { type, mode, uid, gid, rdev } = status;
  return {
    ...{ path, type, uid, gid },
    ...(type === "symlink" ? { target: readlinkat(dirfd, name) } : { mode }),
    ...(type === "char" || type === "block" ? { rdev } : {}),
    ...(type === "directory" ? {} : { first }),
    ...(options.times === false ? {} : { modified: timeText(status.modified) }),
    ...(type === "file" ? { size: status.size, content: digest(dirfd, name, status.size) } : {}),
    ...(type === "file" && options.blocks === true ? { blocks: status.blocks } : {}),
    ...xattrs(dirfd, name),
  };
}

function timeText({ seconds, nanoseconds }: Timespec): string {
  return `${seconds}.${String(nanoseconds).padStart(9, "0")}`;
}

function digest(dirfd: number, name: string, size: number): string {
  if (size === 0) return "empty";
  const fd = openat(dirfd, name, O.RDONLY); // By itself, as a name need not be UTF-8.
  try {
    return new Bun.CryptoHasher("sha256").update(readFileSync(fd)).digest("hex").slice(0, 16);
  } finally {
    close(fd);
  }
}

function xattrs(dirfd: number, name: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const attribute of [...llistxattrat(dirfd, name)].sort()) {
    values[`xattr ${attribute}`] = Buffer.from(lgetxattrat(dirfd, name, attribute) ?? []).toString("hex");
  }
  return values;
}
