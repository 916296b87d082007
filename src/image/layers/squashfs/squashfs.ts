import { unpackerOf } from "./compressors.ts";
import { Contents } from "./content.ts";
import { type Name, namesIn } from "./directory.ts";
import { damaged } from "./fault.ts";
import { type DirectoryInode, type FileInode, type Inode, readInode } from "./inode.ts";
import { LookupTable } from "./lookup-table.ts";
import { Metadata } from "./metadata.ts";
import type { Section } from "./section.ts";
import { type Place, readSuperblock, type Superblock } from "./superblock.ts";
import { Xattrs } from "./xattrs.ts";

/**
 * A file system in squashfs' format, version 4.0 (Linux, Documentation/filesystems/squashfs.rst), read without being mounted: nothing
 * of it is trusted, and little of it in memory at a time. What is wrong with it is `data_loss` with what and where.
 */
export class Squashfs {
  readonly root: Place;
  readonly inodes: number;
  readonly #superblock: Superblock;
  readonly #metadata: Metadata;
  readonly #owners: LookupTable;
  readonly #xattrs: Xattrs | undefined;
  readonly #contents: Contents;

  /** @param account told of the bytes of each attribute that is read, and may throw where they are too many */
  constructor(section: Section, account: (bytes: number) => void = () => undefined) {
    const superblock = readSuperblock(section);
    const unpack = unpackerOf(superblock.compression);
    const { idTable, ids, xattrTable, fragmentTable, blockSize } = superblock;
    const metadata = new Metadata(section, unpack);
    const table = (start: number, count: number, length: number, what: string) =>
      new LookupTable(section, metadata, { start, count, length, what });
    const fragments = table(fragmentTable, superblock.fragments, 16, "the table of fragments");
    this.root = superblock.root;
    this.inodes = superblock.inodes;
    this.#superblock = superblock;
    this.#metadata = metadata;
    this.#owners = table(idTable, ids, 4, "the table of owners");
    this.#xattrs = xattrTable === undefined ? undefined : Xattrs.open({ section, metadata, account }, xattrTable);
    this.#contents = new Contents({ section, unpack, blockSize, fragments });
  }

  /** An inode by its place. */
  inode(place: Place): Inode {
    const { inodeTable, directoryTable, inodes } = this.#superblock;
    const inode = readInode(this.#metadata.cursor(inodeTable, directoryTable, place, "the table of inodes"));
    if (inode.number > 0 && inode.number <= inodes) return inode;
    throw damaged(`an inode of the number ${inode.number}, where there are ${inodes}`, inodeTable + place.block);
  }

  /** What is in a directory. */
  names({ list, size }: DirectoryInode): Generator<Name> {
    const { directoryTable, used } = this.#superblock;
    return namesIn(this.#metadata.cursor(directoryTable, used, list, "the table of directories"), size);
  }

  owners({ uid, gid }: Inode): { readonly uid: number; readonly gid: number } {
    return { uid: this.#owners.entry(uid).readUInt32LE(0), gid: this.#owners.entry(gid).readUInt32LE(0) };
  }

  /** Attributes by their names. Absent where a file has none. */
  xattrs({ xattrs }: Inode): ReadonlyMap<string, Uint8Array> | undefined {
    return xattrs === undefined ? undefined : this.#xattrs?.read(xattrs);
  }

  /** The content of a file, which can be read once for each time that its inode was. */
  content(file: FileInode): AsyncGenerator<Uint8Array> {
    return this.#contents.read(file);
  }
}
