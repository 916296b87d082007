import { damaged } from "./fault.ts";
import { METADATA, type Metadata } from "./metadata.ts";
import type { Section } from "./section.ts";

/** Which table: where its list of blocks begins, how many entries it has, and how many bytes each takes (a part of 8192). */
export interface TableShape {
  readonly start: number;
  readonly count: number;
  readonly length: number;
  readonly what: string;
}

/** Entries by number: owners, fragments, sets of attributes. The list of their blocks is not compressed, 8 bytes for each. */
export class LookupTable {
  constructor(
    private readonly section: Section,
    private readonly metadata: Metadata,
    private readonly shape: TableShape,
  ) {}

  /** One entry's bytes, which are not to be changed. */
  entry(index: number): Buffer {
    const { start, count, length, what } = this.shape;
    if (index >= count) throw damaged(`number ${index} in ${what}, which has ${count} entries`, start);
    const at = index * length;
    const pointer = start + 8 * Math.floor(at / METADATA);
    const block = Number(this.section.read(pointer, 8, what).readBigUInt64LE(0));
    const { content } = this.metadata.block(block, what);
    const offset = at % METADATA;
    if (offset + length > content.length) throw damaged(`${what} ends before its number ${index}`, block);
    return content.subarray(offset, offset + length);
  }
}
