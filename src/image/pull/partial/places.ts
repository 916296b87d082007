import type { Descriptor } from "../../../spec/image.ts";
import { SPLIT_POSITION, TABLE_CHECKSUM, TABLE_POSITION } from "../../copy/chunked/annotations.ts";
import { SKIPPABLE_HEADER } from "../../copy/chunked/frames.ts";

/** Compressed frames at the end of a blob, and how long their text is. */
export interface Place {
  readonly offset: number;
  readonly length: number;
  readonly size: number;
}

/** What a layer's annotations say of the end of its blob. */
export interface Places {
  readonly table: Place;
  readonly split: Place;
  /** The digest of the table's frames. */
  readonly checksum: string;
  /** Where contents end and the table's frame begins. */
  readonly tail: number;
}

/**
 * Bytes of the end of a blob, which is held in memory, and of the texts in it, which are read as they are decompressed. A table of ten
 * megabytes is one of 45,000 files, for which a pull takes some 50 megabytes more.
 */
const MOST_TAIL = 16 << 20;
const MOST_TABLE = 10 << 20;
const MOST_SPLIT = 256 << 20;

/** Where a layer's table is; `undefined` where it has none that can be used. */
export function placesOf({ annotations = {}, size }: Descriptor): Places | undefined {
  const [table, split] = [placeOf(annotations[TABLE_POSITION]), placeOf(annotations[SPLIT_POSITION])];
  const checksum = annotations[TABLE_CHECKSUM];
  if (table === undefined || split === undefined || checksum === undefined) return undefined;
  if (table.size > MOST_TABLE || split.size > MOST_SPLIT) return undefined;
  const tail = Math.min(table.offset, split.offset) - SKIPPABLE_HEADER;
  const fits = [table, split].every(({ offset, length }) => offset + length <= size);
  return fits && tail > 0 && size - tail <= MOST_TAIL ? { table, split, checksum, tail } : undefined;
}

function placeOf(text: string | undefined): Place | undefined {
  const [, ...numbers] = /^(\d{1,15}):(\d{1,15}):(\d{1,15})(?::1)?$/.exec(text ?? "") ?? [];
  const [offset, length, size] = numbers.map(Number);
  if (offset === undefined || length === undefined || size === undefined) return undefined;
  return { offset, length, size };
}
