import type { Segment } from "../tar/entry.ts";
import { BLOCK, BLOCK_BITS, blocksOf, CHUNK_BITS_MAX, CHUNK_INDEX, HOLE, TAR_DEVICE } from "./format.ts";
import type { FileNode } from "./node.ts";

/** Chunks of one file, at most: their list takes 8 bytes each. */
const CHUNKS_MAX = 1 << 20;

/** Bytes of one file that may be copied, beyond twice what the tar has of it. */
const COPIED_FREE = 1 << 26;

/** How a sparse file is divided into chunks, each a hole or a stretch of the tar, or of a copy where the tar's pieces do not fit. */
export interface ChunkPlan {
  /** Bits that a chunk is larger than a block. */
  readonly bits: number;
  readonly count: number;
  /** Chunks with data that are copied into the index, in order; `undefined` where all lie in the tar as they are. */
  readonly copied: readonly number[] | undefined;
}

/**
 * Divides a sparse file. `undefined` for one that erofs has no reasonable form for: data strewn over a huge file, or at odd places of
 * one, so that the list or the copy would be many times the data.
 */
export function planChunks(file: FileNode): ChunkPlan | undefined {
  const segments = file.segments ?? [];
  const unit = commonUnit(segments, file.size);
  if (unit >= BLOCK && file.size <= unit * CHUNKS_MAX) {
    return { bits: bitsOf(unit), count: Math.ceil(file.size / unit), copied: undefined };
  }
  let size = BLOCK;
  while (file.size > size * CHUNKS_MAX) size *= 2;
  const copied = touched(segments, size);
  const stored = segments.reduce((sum, { length }) => sum + length, 0);
  if (copied.length * size > COPIED_FREE + 2 * stored) return undefined;
  return { bits: bitsOf(size), count: Math.ceil(file.size / size), copied };
}

function bitsOf(unit: number): number {
  return Math.log2(unit) - BLOCK_BITS;
}

/** The largest power of two that every segment begins at a multiple of and, but at the file's end, ends at one. 0 below a block. */
function commonUnit(segments: readonly Segment[], size: number): number {
  let unit = BLOCK * 2 ** CHUNK_BITS_MAX;
  for (const { offset, length } of segments) {
    const end = offset + length === size ? 0 : length;
    while (unit >= BLOCK && (offset % unit !== 0 || end % unit !== 0)) unit /= 2;
  }
  while (unit > BLOCK && unit / 2 >= size) unit /= 2;
  return unit < BLOCK ? 0 : unit;
}

/** Numbers of the chunks that have data, each once. */
function touched(segments: readonly Segment[], size: number): readonly number[] {
  const numbers: number[] = [];
  for (const { offset, length } of segments) {
    const first = Math.max(Math.floor(offset / size), (numbers.at(-1) ?? -1) + 1);
    for (let number = first; number * size < offset + length; number++) numbers.push(number);
  }
  return numbers;
}

/** Writes the list. @param copyBlock block of the index at which the file's copied chunks begin */
export function writeChunks(into: Buffer, file: FileNode, plan: ChunkPlan, copyBlock: number): void {
  const list = new Uint32Array(2 * plan.count).fill(0);
  for (let number = 0; number < plan.count; number++) list[2 * number + 1] = HOLE;
  const blocks = 2 ** plan.bits;
  if (plan.copied !== undefined) {
    plan.copied.forEach((number, position) => void set(list, number, 0, copyBlock + position * blocks));
  } else {
    let block = blocksOf(file.start);
    for (const { offset, length } of file.segments ?? []) {
      const first = offset / (BLOCK * blocks);
      const count = Math.ceil(length / (BLOCK * blocks));
      for (let index = 0; index < count; index++) set(list, first + index, TAR_DEVICE, block + index * blocks);
      block += blocksOf(length);
    }
  }
  into.set(Buffer.from(list.buffer, 0, plan.count * CHUNK_INDEX));
}

/** The device's number is the upper half of the first word; below it are more bits of the block's, which no tar needs. */
function set(list: Uint32Array, number: number, device: number, block: number): void {
  list[2 * number] = device << 16;
  list[2 * number + 1] = block;
}

/** The pieces of the tar that a chunk is made of. @returns places in the tar and in the chunk, in bytes */
export function* piecesOf(
  file: FileNode,
  chunk: number,
  size: number,
): Generator<{ readonly from: number; readonly to: number; readonly length: number }> {
  let from = file.start;
  const begin = chunk * size;
  for (const { offset, length } of file.segments ?? []) {
    const first = Math.max(offset, begin);
    const end = Math.min(offset + length, begin + size);
    if (first < end) yield { from: from + first - offset, to: first - begin, length: end - first };
    from += length;
  }
}
