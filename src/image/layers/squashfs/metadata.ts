import { GalleyError } from "../../../errors.ts";
import type { Unpack } from "./compressors.ts";
import { damaged } from "./fault.ts";
import { Kept } from "./kept.ts";
import type { Section } from "./section.ts";
import type { Place } from "./superblock.ts";

/** Bytes of a block of metadata once it is unpacked; the last of a table may have less. */
export const METADATA = 8192;

/** In a block's length: it is not compressed. */
const PLAIN = 0x8000;

/** Blocks that are kept unpacked: inodes of neighbours, and directories, lie close together. */
const KEPT = 64;

interface Block {
  readonly content: Buffer;
  /** Where the next block begins. */
  readonly next: number;
}

/** What describes files: blocks of 8 KiB, compressed each for itself, with their length before them. */
export class Metadata {
  readonly #kept = new Kept<Block>(KEPT);

  constructor(
    private readonly section: Section,
    private readonly unpack: Unpack,
  ) {}

  /** The block that begins at this byte of the file system. */
  block(at: number, what: string): Block {
    return this.#kept.get(at, () => this.#read(at, what));
  }

  #read(at: number, what: string): Block {
    const word = this.section.read(at, 2, what).readUInt16LE(0);
    const length = word & ~PLAIN;
    if (length === 0 || length > METADATA) throw damaged(`a block of ${length} bytes in ${what}`, at);
    const stored = this.section.read(at + 2, length, what);
    return { content: (word & PLAIN) === 0 ? this.#unpacked(stored, at, what) : stored, next: at + 2 + length };
  }

  #unpacked(stored: Buffer, at: number, what: string): Buffer {
    const content = unpackBlock(this.unpack, stored, METADATA, what, at);
    if (content.length === 0) throw damaged(`a block without content in ${what}`, at);
    return content;
  }

  /**
   * Reads on from a place of a table.
   * @param start the table's first byte
   * @param end the first byte after it: blocks begin before that
   */
  cursor(start: number, end: number, { block, offset }: Place, what: string): Cursor {
    return new Cursor(this, start + block, offset, { start, end, what });
  }
}

/** Unpacks a block; says where it is damaged. */
export function unpackBlock(unpack: Unpack, stored: Buffer, most: number, what: string, at: number): Buffer {
  try {
    return unpack(stored, most);
  } catch (failure) {
    if (failure instanceof GalleyError) throw failure;
    throw damaged(`a block of ${what} cannot be unpacked: ${(failure as Error).message}`, at);
  }
}

/** A place in a table that moves on as things are taken, over the ends of blocks. */
export class Cursor {
  constructor(
    private readonly metadata: Metadata,
    private at: number,
    private offset: number,
    private readonly table: { readonly start: number; readonly end: number; readonly what: string },
  ) {}

  /** The next bytes, in memory of their own. */
  take(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const { content, next } = this.#block();
      const count = content.copy(bytes, done, this.offset, this.offset + length - done);
      done += count;
      this.offset += count;
      if (this.offset === content.length) [this.at, this.offset] = [next, 0];
    }
    return bytes;
  }

  #block() {
    const { start, end, what } = this.table;
    if (this.at < start || this.at >= end) throw damaged(`it reads on behind ${what}`, this.at);
    const block = this.metadata.block(this.at, what);
    if (this.offset >= block.content.length)
      throw damaged(
        `something in ${what} is said to be at ${this.offset} of a block of ${block.content.length} bytes`,
        this.at,
      );
    return block;
  }
}
