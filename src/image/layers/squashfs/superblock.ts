import { GalleyError } from "../../../errors.ts";
import { damaged } from "./fault.ts";
import type { Section } from "./section.ts";

/** Where something is in a table of metadata: the block, in bytes from the table's beginning, and the place in its content. */
export interface Place {
  readonly block: number;
  readonly offset: number;
}

/** The beginning of a file system of version 4.0 (Linux, fs/squashfs/squashfs_fs.h). Offsets are in bytes from there. */
export interface Superblock {
  readonly inodes: number;
  /** Of files' content, in bytes: a power of two. */
  readonly blockSize: number;
  readonly compression: number;
  readonly fragments: number;
  readonly ids: number;
  readonly root: Place;
  /** Bytes that the file system takes. */
  readonly used: number;
  readonly idTable: number;
  /** Absent where no file has attributes. */
  readonly xattrTable: number | undefined;
  readonly inodeTable: number;
  readonly directoryTable: number;
  readonly fragmentTable: number;
}

const LENGTH = 96;
const MAGIC = 0x73717368;
/** What stands for a table that is not there. */
const NONE = 0xffff_ffff_ffff_ffffn;
const BLOCK_MIN = 4096;
const BLOCK_MAX = 1 << 20;
/** More files than any image has: what is remembered of each makes a few megabytes then. */
const INODES_MAX = 1 << 24;

/** Reads and checks it. */
export function readSuperblock(section: Section): Superblock {
  if (section.size < LENGTH) throw damaged("it is too short to be one", section.size);
  const bytes = section.read(0, LENGTH, "the superblock");
  if (bytes.readUInt32LE(0) !== MAGIC) throw damaged("it does not begin as one", 0);
  checkVersion(bytes.readUInt16LE(28), bytes.readUInt16LE(30));
  const xattrs = bytes.readBigUInt64LE(56);
  const superblock = {
    inodes: bytes.readUInt32LE(4),
    blockSize: bytes.readUInt32LE(12),
    fragments: bytes.readUInt32LE(16),
    compression: bytes.readUInt16LE(20),
    ids: bytes.readUInt16LE(26),
    root: placeOf(bytes.readBigUInt64LE(32)),
    used: number(bytes, 40),
    idTable: number(bytes, 48),
    xattrTable: xattrs === NONE ? undefined : Number(xattrs),
    inodeTable: number(bytes, 64),
    directoryTable: number(bytes, 72),
    fragmentTable: number(bytes, 80),
  };
  check(superblock, bytes.readUInt16LE(22), section.size);
  return superblock;
}

/** A reference to metadata, as inodes and attributes are named: 48 bits, of which 16 are the place in the block. */
export function placeOf(reference: bigint): Place {
  return { block: Number(reference >> 16n), offset: Number(reference & 0xffffn) };
}

/** Beyond 2^53 it is not exact, and larger than any file. */
function number(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function checkVersion(major: number, minor: number): void {
  if (major === 4 && minor === 0) return;
  throw new GalleyError("unimplemented", `a squashfs of version ${major}.${minor} is not read, only 4.0`, {
    hint: "make it again with mksquashfs of this decade",
  });
}

function check(superblock: Superblock, blockLog: number, size: number): void {
  const { inodes, blockSize, used, inodeTable, directoryTable, ids } = superblock;
  const right = blockSize >= BLOCK_MIN && blockSize <= BLOCK_MAX && blockSize === 2 ** blockLog;
  if (!right) throw damaged(`blocks of ${blockSize} bytes, which it says to be 2 to the power ${blockLog}`, 12);
  if (used < LENGTH || used > size) throw damaged(`it says to take ${used} bytes, and there are ${size}`, 40);
  if (inodeTable < LENGTH || inodeTable >= directoryTable || directoryTable >= used)
    throw damaged("its tables of inodes and directories are out of order", 64);
  if (ids === 0 || inodes === 0) throw damaged("it has no inodes or no owners", 4);
  if (inodes <= INODES_MAX) return;
  throw new GalleyError("resource_exhausted", `it has ${inodes} inodes, more than the ${INODES_MAX} that are read`);
}
