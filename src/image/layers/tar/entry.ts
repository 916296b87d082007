import type { Timespec } from "../../../linux/sys/sys.ts";

export type TarType = "file" | "hardlink" | "symlink" | "char" | "block" | "directory" | "fifo";

/** A stretch of a sparse file that has data; all else reads as zeros. Bytes. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/** One member of an archive, with everything that extended headers said of it. */
export interface TarEntry {
  /** As the archive has it: may be absolute, hold `..`, be empty. Text as `decodeName` makes it. */
  readonly name: string;
  readonly type: TarType;
  /** Target of a hard or symbolic link, as the archive has it; else empty. */
  readonly linkName: string;
  /** The lower twelve bits. */
  readonly mode: number;
  /** As the header has it: some writers put the file's type above those. */
  readonly rawMode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of the file once it is unpacked, holes counted; 0 for anything but a file. */
  readonly size: number;
  readonly modified: Timespec;
  readonly accessed: Timespec | undefined;
  /** Of the inode, which no unpacker can set. */
  readonly changed: Timespec | undefined;
  /** Of device nodes; else 0. */
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array> | undefined;
  /** Of a sparse file, in order and without overlap. */
  readonly segments: readonly Segment[] | undefined;
  /** Where its header begins in the archive, in bytes. */
  readonly offset: number;
  /** Where its content begins in the archive: a multiple of 512. Of a sparse file, its segments one after the other. */
  readonly content: number;
}

/** Takes what a {@link import("./parser.ts").TarParser} finds, in the order of the archive. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** A part of the last entry's content, for the given offset in the file. The bytes are lent until the call returns. */
  data(bytes: Uint8Array, offset: number): void;
  /** The last entry's content is complete. */
  end(): void;
}
