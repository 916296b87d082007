/** Structures of erofs (linux fs/erofs/erofs_fs.h), all numbers least byte first. Blocks are those of a tar. */

export const BLOCK = 512;
export const BLOCK_BITS = 9;

/** Where the superblock is, and its length; the table of devices and the root's inode follow. */
const SUPER_OFFSET = 1024;
const DEVICE_SLOT = 128;
const DEVICE_TABLE = 1152;
export const FIRST_INODE = DEVICE_TABLE + DEVICE_SLOT;

/** Inodes are numbered by the place they begin at. */
const SLOT = 32;

/** Bytes of an inode in its long form: 32-bit owners, nanoseconds. */
export const INODE = 64;

const MAGIC = 0xe0f5e1e2;
const COMPAT_MTIME = 0x2;
const INCOMPAT_CHUNKED_FILE = 0x4;
const INCOMPAT_DEVICE_TABLE = 0x8;

/** How an inode's data are found: in whole blocks one after the other, with the last part behind the inode, or by a list of chunks. */
export const LAYOUT = { PLAIN: 0, INLINE: 2, CHUNKS: 4 } as const;

/** A list of chunks that names the device of each. */
export const CHUNK_INDEXES = 0x20;
export const CHUNK_INDEX = 8;
/** Bits that chunks may be larger than a block. */
export const CHUNK_BITS_MAX = 31;
/** A block that reads as zeros. */
export const HOLE = 0xffffffff;

/** The tar's number among the devices. */
export const TAR_DEVICE = 1;

export const FILE_TYPE = { file: 1, directory: 2, char: 3, block: 4, fifo: 5, symlink: 7 } as const;
export const TYPE_BITS = {
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
} as const;

export const DIRENT = 12;

/** What the superblock says. Blocks are counted from the index's beginning. */
export interface Superblock {
  readonly inodes: number;
  readonly blocks: number;
  readonly xattrBlock: number;
  readonly rootAt: number;
  /** 16 bytes by which the file system is told from others. */
  readonly uuid: Uint8Array;
  /** Of the tar: how many it has, and the number that its first has among all. */
  readonly tarBlocks: number;
  readonly tarStart: number;
}

/** The first bytes of an index, up to {@link FIRST_INODE}. */
export function encodeStart(sb: Superblock): Buffer {
  const bytes = Buffer.alloc(FIRST_INODE);
  const at = SUPER_OFFSET;
  bytes.writeUInt32LE(MAGIC, at);
  bytes.writeUInt32LE(COMPAT_MTIME, at + 8);
  bytes[at + 12] = BLOCK_BITS;
  bytes.writeUInt16LE(nid(sb.rootAt), at + 14);
  bytes.writeBigUInt64LE(BigInt(sb.inodes), at + 16);
  bytes.writeUInt32LE(sb.blocks, at + 36);
  bytes.writeUInt32LE(sb.xattrBlock, at + 44);
  bytes.set(sb.uuid.subarray(0, 16), at + 48);
  bytes.writeUInt32LE(INCOMPAT_CHUNKED_FILE | INCOMPAT_DEVICE_TABLE, at + 80);
  bytes.writeUInt16LE(1, at + 86);
  bytes.writeUInt16LE(DEVICE_TABLE / DEVICE_SLOT, at + 88);
  bytes.writeUInt32LE(sb.tarBlocks, DEVICE_TABLE + 64);
  bytes.writeUInt32LE(sb.tarStart, DEVICE_TABLE + 68);
  return bytes;
}

/** The number of an inode, from where it begins. */
export function nid(at: number): number {
  return at / SLOT;
}

export function alignUp(at: number, unit: number): number {
  return Math.ceil(at / unit) * unit;
}

/** Whole blocks that so many bytes take. */
export function blocksOf(bytes: number): number {
  return Math.ceil(bytes / BLOCK);
}
