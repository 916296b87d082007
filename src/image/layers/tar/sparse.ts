/** Maps of sparse files, in the four forms GNU tar has written (GNU tar manual, "Storing Sparse Files"). */
import type { Segment } from "./entry.ts";
import { BLOCK, numberField } from "./fields.ts";
import type { Header } from "./header.ts";
import { malformed } from "./malformed.ts";

/** More stretches than any real file has: a map in memory takes about 50 MB then. */
const SEGMENTS_MAX = 1 << 20;

/** Offsets and lengths in turn, as segments; empty stretches, which only mark the end, are left out. */
export function segmentsOf(
  numbers: readonly number[],
  header: Header,
  size: number,
  stored: number,
): readonly Segment[] {
  const segments: Segment[] = [];
  let end = 0;
  let sum = 0;
  if (numbers.length % 2 !== 0) throw malformed("incomplete sparse map", header.offset, header.name);
  for (let i = 0; i < numbers.length; i += 2) {
    const offset = numbers[i] ?? 0;
    const length = numbers[i + 1] ?? 0;
    if (offset < end || length < 0 || offset + length > size)
      throw malformed("sparse map out of order", header.offset, header.name);
    end = offset + length;
    sum += length;
    if (length > 0) segments.push({ offset, length });
  }
  if (sum !== stored) throw malformed("sparse map and content differ in size", header.offset, header.name);
  return segments;
}

/** Numbers of `GNU.sparse.map` (format 0.1). */
export function commaMap(text: string, header: Header): readonly number[] {
  if (!/^\d{1,16}(,\d{1,16})*$/.test(text)) throw malformed("unreadable sparse map", header.offset, header.name);
  return text.split(",").map(Number);
}

/** Adds the used places of a table of offset and length, 12 bytes each, in an old header block. Returns whether another follows. */
export function readTable(block: Buffer, start: number, places: number, into: number[], header: Header): boolean {
  for (let place = 0; place < places; place++) {
    const at = start + 24 * place;
    if (block[at] === 0) break;
    const offset = numberField(block, at, 12);
    const length = numberField(block, at + 12, 12);
    if (offset === undefined || length === undefined)
      throw malformed("unreadable sparse map", header.offset, header.name);
    into.push(offset, length);
  }
  if (into.length > 2 * SEGMENTS_MAX) throw malformed("sparse map without end", header.offset, header.name);
  return block[start + 24 * places] === 1;
}

/** Size of the unpacked file in the header block of an old sparse file. */
export function oldRealSize(block: Buffer, header: Header): number {
  const size = numberField(block, 483, 12);
  if (size === undefined || size < 0) throw malformed("unreadable size", header.offset, header.name);
  return size;
}

/** Format 1.0: the map stands before the content, a decimal number and a newline each, the count first, filled up to whole blocks. */
export class LeadingMap {
  readonly #numbers: number[] = [];
  #digits = "";
  #count: number | undefined;

  constructor(private readonly header: Header) {}

  /** Takes the next block. Returns the numbers once all have come. */
  take(block: Buffer): readonly number[] | undefined {
    const lines = (this.#digits + block.toString("latin1", 0, BLOCK)).split("\n");
    this.#digits = lines.pop() ?? "";
    for (const line of lines) {
      if (this.#take(line)) return this.#numbers;
    }
    if (this.#digits.length > 16) this.#fail();
    return undefined;
  }

  #take(line: string): boolean {
    if (!/^\d{1,16}$/.test(line)) this.#fail();
    if (this.#count === undefined) {
      this.#count = Number(line);
      if (this.#count > SEGMENTS_MAX) this.#fail();
    } else this.#numbers.push(Number(line));
    return this.#numbers.length === 2 * this.#count;
  }

  #fail(): never {
    throw malformed("unreadable sparse map", this.header.offset, this.header.name);
  }
}
