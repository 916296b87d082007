import { decodeName, splitDevice } from "../../../linux/sys/sys.ts";
import { damaged } from "./fault.ts";
import type { Cursor } from "./metadata.ts";
import type { Place } from "./superblock.ts";

/** What every inode has. */
interface Common {
  /** The lower twelve bits. */
  readonly mode: number;
  /** Numbers in the table of owners. */
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly modified: number;
  /** From 1 on, another for each. */
  readonly number: number;
  readonly links: number;
  /** The number of its set of attributes. */
  readonly xattrs: number | undefined;
}

/** Where the content of a file is. */
export interface FileInode extends Common {
  readonly type: "file";
  readonly size: number;
  /** Of its first block, in bytes from the beginning of the file system. */
  readonly start: number;
  /** The block that the end of the file shares with others, and the place there. */
  readonly fragment: { readonly index: number; readonly offset: number } | undefined;
  /** Stands at the lengths of its blocks, 4 bytes for each. */
  readonly blocks: Cursor;
}

/** Where the names of a directory are. */
export interface DirectoryInode extends Common {
  readonly type: "directory";
  readonly list: Place;
  /** Bytes of the list. */
  readonly size: number;
}

/** What a name in a directory stands for. */
export type Inode =
  | FileInode
  | DirectoryInode
  | (Common & { readonly type: "symlink"; readonly target: string })
  | (Common & { readonly type: "block" | "char"; readonly major: number; readonly minor: number })
  | (Common & { readonly type: "fifo" | "socket" });

/** In the order of the kernel's numbers, which begin with 1; 7 more is the extended form of the same type. */
const TYPES = ["directory", "file", "symlink", "block", "char", "fifo", "socket"] as const;

/** The type that directories say an inode to be. */
export function typeName(type: number): Inode["type"] | undefined {
  return TYPES[type - 1];
}

/** What is not there, of attributes and fragments. */
const NONE = 0xffff_ffff;

/** Bytes of a symbolic link's target: what the kernel takes (PATH_MAX). */
const TARGET_MAX = 4096;

/** What a directory's size counts for `.` and `..`, which are not in its list. */
const INVENTED = 3;

/** Reads the inode that begins there. */
export function readInode(cursor: Cursor): Inode {
  const head = cursor.take(16);
  const code = head.readUInt16LE(0);
  const extended = code > TYPES.length;
  const type = typeName(extended ? code - TYPES.length : code);
  const common = {
    mode: head.readUInt16LE(2) & 0o7777,
    uid: head.readUInt16LE(4),
    gid: head.readUInt16LE(6),
    modified: head.readUInt32LE(8),
    number: head.readUInt32LE(12),
  };
  switch (type) {
    case undefined:
      throw damaged(`inode ${common.number} is of the unknown type ${code}`);
    case "directory":
      return { ...common, type, ...(extended ? extendedDirectory(cursor) : directory(cursor)) };
    case "file":
      return { ...common, type, ...(extended ? extendedFile(cursor) : file(cursor)) };
    case "symlink":
      return { ...common, type, ...symlink(cursor, extended) };
    case "block":
    case "char":
      return { ...common, type, ...device(cursor, extended) };
    default:
      return { ...common, type, links: cursor.take(4).readUInt32LE(0), xattrs: attributes(cursor, extended) };
  }
}

function attributes(cursor: Cursor, extended: boolean): number | undefined {
  return extended ? known(cursor.take(4).readUInt32LE(0)) : undefined;
}

function known(number: number): number | undefined {
  return number === NONE ? undefined : number;
}

function directory(cursor: Cursor) {
  const bytes = cursor.take(16);
  return {
    list: { block: bytes.readUInt32LE(0), offset: bytes.readUInt16LE(10) },
    links: bytes.readUInt32LE(4),
    size: Math.max(0, bytes.readUInt16LE(8) - INVENTED),
    xattrs: undefined,
  };
}

function extendedDirectory(cursor: Cursor) {
  const bytes = cursor.take(24);
  return {
    links: bytes.readUInt32LE(0),
    size: Math.max(0, bytes.readUInt32LE(4) - INVENTED),
    list: { block: bytes.readUInt32LE(8), offset: bytes.readUInt16LE(18) },
    xattrs: known(bytes.readUInt32LE(20)),
  };
}

function file(cursor: Cursor) {
  const bytes = cursor.take(16);
  return {
    start: bytes.readUInt32LE(0),
    fragment: fragment(bytes, 4),
    size: bytes.readUInt32LE(12),
    links: 1,
    xattrs: undefined,
    blocks: cursor,
  };
}

function extendedFile(cursor: Cursor) {
  const bytes = cursor.take(40);
  return {
    start: Number(bytes.readBigUInt64LE(0)),
    size: Number(bytes.readBigUInt64LE(8)),
    links: bytes.readUInt32LE(24),
    fragment: fragment(bytes, 28),
    xattrs: known(bytes.readUInt32LE(36)),
    blocks: cursor,
  };
}

function fragment(bytes: Buffer, at: number): FileInode["fragment"] {
  const index = known(bytes.readUInt32LE(at));
  return index === undefined ? undefined : { index, offset: bytes.readUInt32LE(at + 4) };
}

function symlink(cursor: Cursor, extended: boolean) {
  const bytes = cursor.take(8);
  const length = bytes.readUInt32LE(4);
  if (length === 0 || length > TARGET_MAX) throw damaged(`a symbolic link whose target has ${length} bytes`);
  const target = cursor.take(length);
  if (target.includes(0)) throw damaged("a symbolic link whose target has zero bytes");
  return { links: bytes.readUInt32LE(0), target: decodeName(target), xattrs: attributes(cursor, extended) };
}

function device(cursor: Cursor, extended: boolean) {
  const bytes = cursor.take(8);
  return {
    links: bytes.readUInt32LE(0),
    ...splitDevice(bytes.readUInt32LE(4)),
    xattrs: attributes(cursor, extended),
  };
}
