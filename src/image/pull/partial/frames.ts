import { digestOf } from "../../digest.ts";
import { decompressSync } from "../decompress-sync.ts";
import { Gaps } from "./gaps.ts";
import type { Place, Places } from "./places.ts";
import { wrong } from "./wrong.ts";

/** Compressed bytes of a blob that can be read alone: a chunk of a file, or what lies between two files. */
export interface Frame {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Stands for what is in it: frames with the same key are the same before they are compressed. */
  readonly key: string;
}

/** What is used of an entry of the table (containers/storage, pkg/chunked, `FileMetadata`). */
interface Entry {
  readonly type?: unknown;
  readonly size?: unknown;
  readonly digest?: unknown;
  readonly offset?: unknown;
  readonly endOffset?: unknown;
  readonly chunkSize?: unknown;
  readonly chunkDigest?: unknown;
}

/** The bytes that begin an object and a list, and how many bytes an object takes at least on average: a digest alone takes more. */
const [BRACE, BRACKET, SHORTEST] = [0x7b, 0x5b, 50];

/** Digits of a digest that are kept: enough that no two are alike by chance, and what is put together is checked anyway. */
const DIGITS = 32;

/**
 * All frames of a blob before its table, in order, without a byte between them, as the table and tar-split's documents tell.
 * @param tail the blob from `places.tail` on
 * @param checksum whether the table has to have the digest that the descriptor names
 * Errors: `data_loss` for a table that is not the one that was announced, makes no sense, or describes other bytes than there are.
 */
export function framesOf(
  tail: Uint8Array,
  places: Places,
  { checksum }: { readonly checksum: boolean },
): readonly Frame[] {
  const part = ({ offset, length }: Place) => tail.subarray(offset - places.tail, offset - places.tail + length);
  const [table, split] = [part(places.table), part(places.split)];
  if (checksum && digestOf(table) !== places.checksum) throw wrong("its digest is not the one that was announced");
  const { entries, tarSplitDigest } = parsed(tableText(table, places.table.size));
  if (typeof tarSplitDigest === "string" && digestOf(split) !== tarSplitDigest)
    throw wrong("tar-split's digest differs");
  const files = filesOf(entries);
  const gaps = new Gaps(upTo(decompressSync([split]), places.split.size));
  const frames: Frame[] = [];
  let position = 0;
  const add = (end: number, key: string) => {
    if (end < position || end > places.tail) throw wrong("its places overlap or lie outside");
    if (end > position) frames.push({ start: position, end, key });
    position = end;
  };
  for (const { size, chunks, end } of files) {
    add(chunks[0]?.offset ?? -1, gaps.before(size));
    for (const [index, { key }] of chunks.entries()) add(chunks[index + 1]?.offset ?? end, key);
  }
  add(places.tail, gaps.last());
  return frames;
}

function tableText(frames: Uint8Array, size: number): string {
  const pieces: Buffer[] = [];
  for (const piece of upTo(decompressSync([frames]), size)) pieces.push(Buffer.from(piece));
  const text = Buffer.concat(pieces);
  // Millions of empty objects would fill the memory.
  const most = 1000 + text.length / SHORTEST;
  for (const bracket of [BRACE, BRACKET])
    if (occursMore(text, bracket, most)) throw wrong("it is of nothing but brackets");
  return text.toString("utf8");
}

function occursMore(text: Buffer, byte: number, most: number): boolean {
  let count = 0;
  for (let at = text.indexOf(byte); at >= 0 && count <= most; at = text.indexOf(byte, at + 1)) count++;
  return count > most;
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

function parsed(text: string): { readonly entries: readonly Entry[]; readonly tarSplitDigest?: unknown } {
  let value: { readonly entries?: unknown; readonly tarSplitDigest?: unknown } | null;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong("it is no JSON", cause);
  }
  if (value === null || !Array.isArray(value.entries)) throw wrong("it has no entries");
  return { entries: value.entries as readonly Entry[], tarSplitDigest: value.tarSplitDigest };
}

interface File {
  readonly size: number;
  readonly end: number;
  readonly chunks: { readonly offset: number; readonly key: string }[];
}

/** Files with content, in the archive's order, each with its chunks. */
function filesOf(entries: readonly Entry[]): readonly File[] {
  const files: File[] = [];
  for (const entry of entries) {
    if (entry?.type === "reg" && entry.size !== undefined && entry.size !== 0) {
      const chunk = {
        offset: number(entry.offset),
        key: keyOf(entry.chunkDigest ?? entry.digest, entry.chunkSize ?? entry.size),
      };
      files.push({ size: number(entry.size), end: number(entry.endOffset), chunks: [chunk] });
    } else if (entry?.type === "chunk") {
      const chunk = { offset: number(entry.offset), key: keyOf(entry.chunkDigest, entry.chunkSize) };
      const file = files.at(-1);
      if (file === undefined) throw wrong("it begins with a chunk of no file");
      file.chunks.push(chunk);
    }
  }
  return files;
}

function number(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong("what should be a number is none");
}

function keyOf(digest: unknown, size: unknown): string {
  if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest)) throw wrong("a chunk has no digest");
  return `${digest.slice(7, 7 + DIGITS)}${number(size)}`;
}
