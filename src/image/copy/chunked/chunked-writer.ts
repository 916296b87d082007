import { digestOf } from "../../digest.ts";
import type { TarEntry } from "../../layers/tar/entry.ts";
import { TarParser } from "../../layers/tar/parser.ts";
import type { Annotations } from "./annotations.ts";
import { type Chunk, Chunker } from "./chunker.ts";
import { Crc64 } from "./crc64.ts";
import { frameWith } from "./frames.ts";
import { Suitability } from "./suitable.ts";
import { type PlacedChunk, tableEntries } from "./table.ts";
import { TarSplit } from "./tar-split.ts";
import { type Trailer, trailer } from "./trailer.ts";

/** Bytes between contents that are compressed at a time, and that are kept at most: headers of an entry may take half of the latter. */
const PIECE = 1 << 20;
const KEPT = 64 << 20;

/** A file whose content is coming. */
interface OpenFile {
  readonly entry: TarEntry;
  readonly chunker: Chunker;
  readonly digest: Bun.CryptoHasher;
  readonly sum: Crc64;
  readonly chunks: PlacedChunk[];
  left: number;
}

/**
 * Writes an archive as zstd:chunked: every chunk of a file is a frame of its own, and what is between the contents too; then follow, in frames that
 * other readers pass over, a table of contents and all that is needed to make the archive again. An archive that no table can describe
 * becomes plain zstd.
 */
export class ChunkedWriter {
  readonly #frame: (bytes: Uint8Array) => Buffer;
  readonly #split: TarSplit;
  readonly #suitability = new Suitability();
  readonly #table: string[] = [];
  #entries: TarEntry[] = [];
  readonly #parser = new TarParser({ entry: (entry) => this.#entries.push(entry), data() {}, end() {} });
  /** What was read of the archive, and written of the blob. */
  #read = 0;
  #written = 0;
  #file: OpenFile | undefined;
  /** Bytes that are no content: not compressed yet, and since the entry before. */
  #loose: Buffer[] = [];
  #looseSize = 0;
  #between: Buffer[] = [];
  #betweenSize = 0;
  #plain = false;
  #output: Buffer[] = [];

  constructor(level: number) {
    this.#frame = frameWith(level);
    this.#split = new TarSplit(this.#frame);
  }

  /** Takes the next bytes of the archive; gives what is to be written. Fails with `data_loss` where it is no archive. */
  push(chunk: Uint8Array): Buffer[] {
    if (!this.#plain) this.#parser.push(chunk);
    const start = this.#read;
    const until = (position: number) => this.#bytes(chunk.subarray(this.#read - start, position - start));
    for (const entry of this.#entries) {
      until(entry.content);
      this.#begin(entry);
    }
    this.#entries = [];
    until(start + chunk.length);
    return this.#taken();
  }

  /** The archive is at its end; gives what is left to be written, and what the layer's descriptor is to say of it. */
  finish(): { readonly output: readonly Buffer[]; readonly annotations: Annotations | undefined } {
    if (!this.#plain) this.#parser.finish();
    this.#split.segment(this.#takeBetween());
    this.#flushLoose();
    const end = this.#plain ? undefined : this.#trailer();
    return { output: [...this.#taken(), ...(end === undefined ? [] : [end.bytes])], annotations: end?.annotations };
  }

  #trailer(): Trailer {
    return trailer({ offset: this.#written, table: this.#table, split: this.#split.finish(), frame: this.#frame });
  }

  #taken(): Buffer[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  /** Bytes of the archive up to the next header's end: first of a content, if one is open, then of what is between. */
  #bytes(bytes: Uint8Array): void {
    this.#read += bytes.length;
    const content = this.#plain ? 0 : Math.min(this.#file?.left ?? 0, bytes.length);
    if (content > 0) this.#content(bytes.subarray(0, content));
    if (content < bytes.length) this.#looseBytes(Buffer.from(bytes.subarray(content)));
  }

  #looseBytes(bytes: Buffer): void {
    this.#loose.push(bytes);
    this.#looseSize += bytes.length;
    if (this.#looseSize >= PIECE) this.#flushLoose();
    if (this.#plain) return;
    this.#between.push(bytes);
    this.#betweenSize += bytes.length;
    if (this.#betweenSize >= KEPT) this.#split.segment(this.#takeBetween());
  }

  #flushLoose(): void {
    if (this.#looseSize > 0) this.#write(this.#frame(Buffer.concat(this.#loose)));
    this.#loose = [];
    this.#looseSize = 0;
  }

  #takeBetween(): Buffer {
    const bytes = Buffer.concat(this.#between);
    this.#between = [];
    this.#betweenSize = 0;
    return bytes;
  }

  #write(frame: Buffer): void {
    this.#output.push(frame);
    this.#written += frame.length;
  }

  #begin(entry: TarEntry): void {
    if (this.#plain) return;
    const before = this.#takeBetween();
    if (!this.#suitability.admits(entry, before)) {
      this.#plain = true;
      return;
    }
    this.#split.segment(before);
    if (entry.size > 0) this.#file = this.#open(entry);
    else this.#describe(entry, undefined);
  }

  #open(entry: TarEntry): OpenFile {
    this.#flushLoose();
    const [chunks, digest, sum]: [PlacedChunk[], Bun.CryptoHasher, Crc64] = [
      [],
      new Bun.CryptoHasher("sha256"),
      new Crc64(),
    ];
    const chunker = new Chunker((chunk) => chunks.push(this.#place(chunk, chunks.at(-1))));
    return { entry, chunker, digest, sum, chunks, left: entry.size };
  }

  #place({ bytes, zeros }: Chunk, before: PlacedChunk | undefined): PlacedChunk {
    const offset = this.#written;
    this.#write(this.#frame(bytes));
    const position = before === undefined ? 0 : before.position + before.size;
    return { digest: digestOf(bytes), size: bytes.length, position, offset, zeros };
  }

  #content(bytes: Uint8Array): void {
    const file = this.#file;
    if (file === undefined) return;
    file.chunker.push(bytes);
    file.digest.update(bytes);
    file.sum.update(bytes);
    file.left -= bytes.length;
    if (file.left > 0) return;
    file.chunker.finish();
    this.#file = undefined;
    this.#describe(file.entry, file);
  }

  #describe(entry: TarEntry, file: OpenFile | undefined): void {
    const content =
      file === undefined
        ? undefined
        : { digest: `sha256:${file.digest.digest("hex")}`, end: this.#written, chunks: file.chunks };
    for (const described of tableEntries(entry, content)) this.#table.push(JSON.stringify(described));
    this.#split.file(entry.name, entry.size, file?.sum);
  }
}
