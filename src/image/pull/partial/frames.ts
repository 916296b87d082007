import { digestOf } from "../../digest.ts";
import { decompressSync } from "../decompress-sync.ts";
import type { Frame } from "./frame-list.ts";
import { Gaps } from "./gaps.ts";
import type { Place, Places } from "./places.ts";
import { tableEntries } from "./table-entries.ts";
import { wrong } from "./wrong.ts";

/** What is used of an entry of the table (containers/storage, pkg/chunked, `FileMetadata`). */
interface Entry {
  readonly type?: unknown;
  readonly size?: unknown;
  readonly digest?: unknown;
  readonly offset?: unknown;
  readonly endOffset?: unknown;
  readonly chunkDigest?: unknown;
}

/** Hexadecimal digits of a digest that make a number: what is put together by it is checked anyway. */
const DIGITS = 13;

/**
 * All frames of a blob before its table, in order, without a byte between them, as the table and tar-split's documents tell. Both are read while
 * they are decompressed.
 * @param tail the blob from `places.tail` on
 * @param checksum whether the table has to have the digest that the descriptor names
 * Errors: `data_loss` for a table that is not the one that was announced, makes no sense, or describes other bytes than there are.
 */
export function* framesOf(
  tail: Uint8Array,
  places: Places,
  { checksum }: { readonly checksum: boolean },
): Generator<Frame> {
  const part = ({ offset, length }: Place) => tail.subarray(offset - places.tail, offset - places.tail + length);
  const [table, split] = [part(places.table), part(places.split)];
  if (checksum && digestOf(table) !== places.checksum) throw wrong("its digest is not the one that was announced");
  using gaps = new Gaps(upTo(decompressSync([split]), places.split.size));
  let position = 0;
  for (const { end, key } of pieces(filesOf(table, places.table, digestOf(split)), gaps, places.tail)) {
    if (end < position || end > places.tail) throw wrong("its places overlap or lie outside");
    if (end > position) yield { start: position, end, key };
    position = end;
  }
}

/** Where each frame ends. */
function* pieces(
  files: Iterable<File>,
  gaps: Gaps,
  end: number,
): Generator<{ readonly end: number; readonly key: number }> {
  for (const file of files) {
    yield { end: file.chunks[0]?.offset ?? -1, key: gaps.before(file.size) };
    for (const [index, { key }] of file.chunks.entries())
      yield { end: file.chunks[index + 1]?.offset ?? file.end, key };
  }
  yield { end, key: gaps.last() };
}

/** Passes a text on that is as long as it was said to be. */
function* upTo(text: Iterable<Uint8Array>, size: number): Generator<Uint8Array> {
  let length = 0;
  for (const piece of text) {
    length += piece.length;
    if (length > size) break;
    yield piece;
  }
  if (length !== size) throw wrong("its text has another length than was announced");
}

interface File {
  readonly size: number;
  readonly end: number;
  readonly chunks: { readonly offset: number; readonly key: number }[];
}

/** Files with content, in the archive's order, each with its chunks. */
function* filesOf(table: Uint8Array, { size }: Place, splitDigest: string): Generator<File> {
  const entries = tableEntries(upTo(decompressSync([table]), size));
  let file: File | undefined;
  let step = entries.next();
  for (; step.done !== true; step = entries.next()) {
    const entry: Entry = step.value;
    if (entry.type === "chunk") {
      if (file === undefined) throw wrong("it begins with a chunk of no file");
      file.chunks.push({ offset: number(entry.offset), key: keyOf(entry.chunkDigest) });
    } else if (entry.type === "reg" && entry.size !== undefined && entry.size !== 0) {
      if (file !== undefined) yield file;
      file = fileOf(entry);
    }
  }
  if (file !== undefined) yield file;
  const { tarSplitDigest } = step.value;
  if (typeof tarSplitDigest === "string" && splitDigest !== tarSplitDigest) throw wrong("tar-split's digest differs");
}

function fileOf(entry: Entry): File {
  const key = keyOf(entry.chunkDigest ?? entry.digest);
  return { size: number(entry.size), end: number(entry.endOffset), chunks: [{ offset: number(entry.offset), key }] };
}

function number(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong("what should be a number is none");
}

function keyOf(digest: unknown): number {
  if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest)) throw wrong("a chunk has no digest");
  return Number.parseInt(digest.slice(7, 7 + DIGITS), 16);
}
