import { digestOf } from "../../digest.ts";
import { type Annotations, SPLIT_POSITION, TABLE_CHECKSUM, TABLE_POSITION } from "./annotations.ts";
import { SKIPPABLE_HEADER, skippableFrame } from "./frames.ts";

/** The kind of table, of which there is one. */
const TYPE = 1;

/** Last eight bytes of a blob. */
const MAGIC = Buffer.from("GNUlInUx");

/** Text of the table that is compressed at a time. */
const PIECE = 1 << 20;

/** What the end of a blob is made of. */
export interface Ending {
  /** Bytes before it. */
  readonly offset: number;
  /** The table's entries, as JSON. */
  readonly table: readonly string[];
  /** tar-split's documents, compressed, and their size before that. */
  readonly split: { readonly bytes: Buffer; readonly size: number };
  readonly frame: (bytes: Uint8Array) => Buffer;
}

export interface Trailer {
  readonly bytes: Buffer;
  readonly annotations: Annotations;
}

/** The three frames at the end of a blob: the table of contents, tar-split's documents, and a footer of 64 bytes that says where they are. */
export function trailer({ offset, table, split, frame }: Ending): Trailer {
  const text = tableText(table, digestOf(split.bytes));
  const compressed = Buffer.concat(pieces(text).map(frame));
  const at = offset + SKIPPABLE_HEADER;
  const splitAt = at + compressed.length + SKIPPABLE_HEADER;
  const places = [at, compressed.length, text.length, TYPE, splitAt, split.bytes.length, split.size];
  return {
    bytes: Buffer.concat([compressed, split.bytes, footer(places)].map(skippableFrame)),
    annotations: {
      [TABLE_CHECKSUM]: digestOf(compressed),
      [TABLE_POSITION]: places.slice(0, 4).join(":"),
      [SPLIT_POSITION]: places.slice(4).join(":"),
    },
  };
}

function tableText(table: readonly string[], tarSplitDigest: string): Buffer {
  return Buffer.from(`{"version":1,"entries":[${table.join(",")}],"tarSplitDigest":"${tarSplitDigest}"}`);
}

function pieces(text: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(text.length / PIECE) }, (_, index) =>
    text.subarray(index * PIECE, (index + 1) * PIECE),
  );
}

/** Seven numbers of 64 bits, the least significant byte first. */
function footer(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 8);
  for (const [index, number] of numbers.entries()) bytes.writeBigUInt64LE(BigInt(number), index * 8);
  return Buffer.concat([bytes, MAGIC]);
}
