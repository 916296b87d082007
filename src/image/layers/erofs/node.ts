import type { Timespec } from "../../../linux/sys/sys.ts";
import type { Segment } from "../tar/entry.ts";

/** What every inode has. */
export interface Attributes {
  /** The lower twelve bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: Timespec;
  readonly xattrs: ReadonlyMap<string, Uint8Array> | undefined;
}

/** Where an inode lies in the index; set when everything is known. */
interface Placed {
  attributes: Attributes;
  /** Names that lead here; of a directory, subdirectories and two. */
  links: number;
  /** Bytes from the index's beginning; -1 before it has a place. */
  at: number;
}

export interface DirectoryNode extends Placed {
  readonly kind: "directory";
  readonly names: Map<string, Node>;
  /** Itself, of the root. */
  readonly parent: DirectoryNode;
  /** It hides what lower layers have in it. */
  opaque: boolean;
}

/** A file whose content is in the tar. */
export interface FileNode extends Placed {
  readonly kind: "file";
  readonly size: number;
  /** Where its content begins in the tar, in bytes. */
  readonly start: number;
  readonly segments: readonly Segment[] | undefined;
}

export interface SymlinkNode extends Placed {
  readonly kind: "symlink";
  readonly target: string;
}

export interface SpecialNode extends Placed {
  readonly kind: "char" | "block" | "fifo";
  /** As `makeDevice` makes it; 0 of a pipe, and of a removal. */
  readonly device: number;
}

export type Node = DirectoryNode | FileNode | SymlinkNode | SpecialNode;

/** Of what no entry describes, such as directories that are only on the way to something. */
export const plainAttributes: Attributes = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  modified: { seconds: 0, nanoseconds: 0 },
  xattrs: undefined,
};

/** A directory without entries; the root where no parent is given. */
export function newDirectory(parent: DirectoryNode | undefined, attributes = plainAttributes): DirectoryNode {
  const unplaced = { kind: "directory", attributes, links: 0, at: -1, names: new Map(), opaque: false } as const;
  if (parent !== undefined) return { ...unplaced, parent };
  const root = { ...unplaced } as { -readonly [key in keyof DirectoryNode]: DirectoryNode[key] };
  root.parent = root;
  return root;
}

/** Whether it is overlayfs' note that a name is removed. */
export function isRemoval(node: Node): boolean {
  return node.kind === "char" && node.device === 0;
}
