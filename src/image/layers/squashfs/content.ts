import type { Unpack } from "./compressors.ts";
import { damaged } from "./fault.ts";
import type { FileInode } from "./inode.ts";
import { Kept } from "./kept.ts";
import type { LookupTable } from "./lookup-table.ts";
import { unpackBlock } from "./metadata.ts";
import type { Section } from "./section.ts";

/** In a block's length: it is not compressed. */
const PLAIN = 1 << 24;

/** Blocks of files' ends that are kept unpacked: neighbours share them. */
const KEPT = 3;

/** What content is read with. */
export interface ContentParts {
  readonly section: Section;
  readonly unpack: Unpack;
  readonly blockSize: number;
  readonly fragments: LookupTable;
}

/** Content of files: whole blocks, and ends that several files share one block for. */
export class Contents {
  readonly #zeros: Buffer;
  readonly #kept = new Kept<Buffer>(KEPT);

  constructor(private readonly parts: ContentParts) {
    this.#zeros = Buffer.alloc(parts.blockSize);
  }

  /** All of a file, a block at a time, which is not to be changed. */
  async *read(file: FileInode): AsyncGenerator<Uint8Array> {
    const { blockSize } = this.parts;
    let at = file.start;
    let left = file.size;
    const end = file.fragment === undefined ? 0 : file.size % blockSize;
    while (left > end) {
      const word = file.blocks.take(4).readUInt32LE(0);
      const length = Math.min(blockSize, left);
      yield word === 0 ? this.#zeros.subarray(0, length) : this.#block(at, word, length);
      at += storedLength(word);
      left -= length;
    }
    if (end > 0 && file.fragment !== undefined) yield this.#end(file.fragment, end);
  }

  /** A block that has to have `length` bytes. */
  #block(at: number, word: number, length: number): Buffer {
    const content = this.#unpacked(at, word);
    if (content.length === length) return content;
    throw damaged(`a block of ${content.length} bytes where a file has ${length}`, at);
  }

  #unpacked(at: number, word: number): Buffer {
    const { section, unpack, blockSize } = this.parts;
    const length = storedLength(word);
    if (word >= 2 * PLAIN || length > blockSize)
      throw damaged(`a block of ${length} bytes, where ${blockSize} are most`, at);
    const stored = section.read(at, length, "a file's content");
    return (word & PLAIN) === 0 ? unpackBlock(unpack, stored, blockSize, "content", at) : stored;
  }

  #end({ index, offset }: NonNullable<FileInode["fragment"]>, length: number): Buffer {
    const shared = this.#shared(index);
    if (offset + length <= shared.length) return shared.subarray(offset, offset + length);
    throw damaged(
      `the end of a file is said to be at ${offset} of fragment ${index}, which has ${shared.length} bytes`,
    );
  }

  #shared(index: number): Buffer {
    return this.#kept.get(index, () => {
      const entry = this.parts.fragments.entry(index);
      return this.#unpacked(Number(entry.readBigUInt64LE(0)), entry.readUInt32LE(8));
    });
  }
}

function storedLength(word: number): number {
  return word & (PLAIN - 1);
}
