import { buildEntry, nameOf, storedSize, text, typeOf } from "./build-entry.ts";
import type { Segment, TarEntry, TarHandler, TarType } from "./entry.ts";
import { Extensions } from "./extensions.ts";
import { BLOCK, isZero } from "./fields.ts";
import { type Header, parseHeader } from "./header.ts";
import { cutShort, malformed } from "./malformed.ts";
import { type PaxRecords, wholeNumber } from "./pax.ts";
import { commaMap, LeadingMap, oldRealSize, readTable, segmentsOf } from "./sparse.ts";

/** An entry whose content is being read, or whose sparse map is. */
interface Current {
  readonly header: Header;
  readonly type: TarType;
  readonly name: string;
  readonly records: PaxRecords | undefined;
  /** Bytes in the archive, and of the unpacked file. */
  stored: number;
  size: number;
}

/**
 * Reads an archive as its bytes come, and hands each entry on at once: v7, ustar, PAX, GNU and star formats, sparse files in all
 * four forms. Memory is bounded whatever the archive says, and content is passed on without being copied.
 *
 * Where implementations differ it does as those that made and read the world's images (Go's archive/tar): GNU long names win over
 * PAX records, only files have content, one zero block ends an archive whose bytes end there too.
 */
export class TarParser {
  #state: "header" | "extension" | "table" | "map" | "content" | "padding" | "end" = "header";
  /** Bytes left of an extension, of content, or of padding. */
  #left = 0;
  #padding = 0;
  /** Bytes taken before the chunk at hand, and within it: together the place in the archive. */
  #before = 0;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  /** Place in the archive of what follows the last whole block. */
  #start = 0;
  #sawZero = false;
  #extension: { header: Header; content: Buffer } | undefined;
  readonly #extensions = new Extensions();
  #current: Current | undefined;
  #numbers: number[] = [];
  #map: LeadingMap | undefined;
  #entry: TarEntry | undefined;
  #segment = 0;
  /** Place in the unpacked file of the next byte of content, and what is left of the segment there. */
  #offset = 0;
  #inSegment = 0;

  constructor(private readonly handler: TarHandler) {}

  /** Takes the next bytes. What the handler throws comes through, after which the parser is of no more use. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; ) at += this.#take(bytes, at);
    this.#before += bytes.length;
  }

  /** The bytes are at their end. Fails with `data_loss` where the archive is not. */
  finish(): void {
    if (this.#state === "content") throw cutShort("within content", this.#entry?.offset ?? 0, this.#entry?.name);
    const inHeader = this.#state === "extension" || this.#state === "table" || this.#state === "map";
    const inBlock = this.#filled > 0 && !this.#sawZero;
    if (inHeader || inBlock || this.#extensions.pending) throw cutShort("within a header", this.#before);
  }

  #take(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case "header":
      case "table":
      case "map":
        return this.#takeBlock(bytes, at);
      case "extension":
        return this.#takeExtension(bytes, at);
      case "content":
        return this.#takeContent(bytes, at);
      case "padding":
        return this.#takePadding(bytes, at);
      default:
        return bytes.length - at;
    }
  }

  /** A whole block is read where it lies, one that a chunk's end divides is put together first. */
  #takeBlock(bytes: Buffer, at: number): number {
    if (this.#filled === 0 && bytes.length - at >= BLOCK) {
      this.#onBlock(bytes.subarray(at, at + BLOCK), this.#before + at);
      return BLOCK;
    }
    const count = Math.min(BLOCK - this.#filled, bytes.length - at);
    bytes.copy(this.#block, this.#filled, at, at + count);
    this.#filled += count;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      this.#onBlock(this.#block, this.#before + at + count - BLOCK);
    }
    return count;
  }

  #onBlock(block: Buffer, offset: number): void {
    this.#start = offset + BLOCK;
    if (this.#state === "table") this.#onTable(block);
    else if (this.#state === "map") this.#onMap(block);
    else if (block[0] === 0 && isZero(block)) this.#onZero(offset);
    else if (this.#sawZero) throw malformed("entry after the end", offset);
    else this.#onHeader(parseHeader(block, offset), block);
  }

  #onZero(offset: number): void {
    if (this.#extensions.pending) throw malformed("extended header without an entry", offset);
    if (this.#sawZero) this.#state = "end";
    this.#sawZero = true;
  }

  #onHeader(header: Header, block: Buffer): void {
    if (Extensions.has(header.flag)) this.#startExtension(header);
    else if (header.flag === "V") this.#skip(header.size, header);
    else this.#startEntry(header, block);
  }

  #startExtension(header: Header): void {
    this.#extension = { header, content: this.#extensions.begin(header) };
    this.#left = header.size;
    this.#padding = paddingOf(header.size);
    this.#state = "extension";
    if (header.size === 0) this.#endExtension();
  }

  #takeExtension(bytes: Buffer, at: number): number {
    const content = this.#extension?.content ?? this.#block;
    const count = Math.min(this.#left, bytes.length - at);
    bytes.copy(content, content.length - this.#left, at, at + count);
    this.#left -= count;
    if (this.#left === 0) this.#endExtension();
    return count;
  }

  #endExtension(): void {
    const { header, content } = this.#extension ?? this.#lost();
    this.#extension = undefined;
    this.#extensions.end(header, content);
    this.#pad();
  }

  #startEntry(header: Header, block: Buffer): void {
    const records = this.#extensions.records();
    const name = nameOf(header, records, this.#extensions.longNames());
    const type = typeOf(header, name);
    const stored = storedSize(header, type, records, name);
    this.#current = { header, type, name, records, stored, size: stored };
    if (header.flag === "S") this.#startTable(block);
    else if (type === "file" && records !== undefined) this.#startSparse(records);
    else this.#begin(undefined);
  }

  /** Sparse formats 0.0, 0.1 and 1.0, which say so in PAX records. */
  #startSparse(records: PaxRecords): void {
    const current = this.#current ?? this.#lost();
    const { header } = current;
    const real = text(records, "GNU.sparse.realsize") || text(records, "GNU.sparse.size");
    if (real !== "") current.size = wholeNumber(real, "GNU.sparse.size", header.offset);
    const map = text(records, "GNU.sparse.map");
    if (text(records, "GNU.sparse.major") === "1") {
      this.#map = new LeadingMap(header);
      this.#state = "map";
    } else if (map !== "") this.#begin(commaMap(map, header));
    else if (records.sparse.length > 0) this.#begin(records.sparse);
    else this.#begin(real === "" ? undefined : [0, current.stored]);
  }

  #onMap(block: Buffer): void {
    const current = this.#current ?? this.#lost();
    current.stored -= BLOCK;
    if (current.stored < 0) throw malformed("sparse map longer than its entry", current.header.offset, current.name);
    const numbers = this.#map?.take(block);
    if (numbers !== undefined) this.#begin(numbers);
  }

  /** GNU's old sparse format: four places in the header, more in blocks after it. */
  #startTable(block: Buffer): void {
    const current = this.#current ?? this.#lost();
    current.size = oldRealSize(block, current.header);
    this.#numbers = [];
    if (readTable(block, 386, 4, this.#numbers, current.header)) this.#state = "table";
    else this.#begin(this.#numbers);
  }

  #onTable(block: Buffer): void {
    const { header } = this.#current ?? this.#lost();
    if (!readTable(block, 0, 21, this.#numbers, header)) this.#begin(this.#numbers);
  }

  /** All is known of the entry: hands it on, and turns to its content. */
  #begin(numbers: readonly number[] | undefined): void {
    const { header, type, name, records, stored, size } = this.#current ?? this.#lost();
    const segments = numbers === undefined ? undefined : segmentsOf(numbers, header, size, stored);
    const content = { stored, size, segments, start: this.#start };
    const entry = buildEntry(header, type, name, records, this.#extensions.longNames(), content);
    this.#current = this.#map = undefined;
    this.#extensions.reset();
    this.#entry = entry;
    this.handler.entry(entry);
    this.#startContent(entry, type === "file" ? stored : 0, stored);
  }

  #startContent(entry: TarEntry, wanted: number, stored: number): void {
    this.#left = stored;
    this.#padding = paddingOf(stored);
    this.#segment = 0;
    this.#startSegment(entry.segments?.[0] ?? { offset: 0, length: stored });
    if (wanted > 0) {
      this.#state = "content";
      return;
    }
    this.handler.end();
    this.#entry = undefined;
    this.#padding += stored;
    this.#pad();
  }

  #startSegment(segment: Segment): void {
    this.#offset = segment.offset;
    this.#inSegment = segment.length;
  }

  #takeContent(bytes: Buffer, at: number): number {
    const count = Math.min(this.#left, this.#inSegment, bytes.length - at);
    this.handler.data(at === 0 && count === bytes.length ? bytes : bytes.subarray(at, at + count), this.#offset);
    this.#left -= count;
    this.#offset += count;
    this.#inSegment -= count;
    if (this.#left === 0) this.#endContent();
    else if (this.#inSegment === 0) this.#startSegment(this.#entry?.segments?.[++this.#segment] ?? this.#lost());
    return count;
  }

  #endContent(): void {
    this.#entry = undefined;
    this.handler.end();
    this.#pad();
  }

  #skip(size: number, header: Header): void {
    if (size < 0) throw malformed("negative size", header.offset, header.name);
    this.#padding = size + paddingOf(size);
    this.#pad();
  }

  /** Turns to what fills up the last block, or at once to the next header. */
  #pad(): void {
    this.#left = this.#padding;
    this.#state = this.#left === 0 ? "header" : "padding";
  }

  #takePadding(bytes: Buffer, at: number): number {
    const count = Math.min(this.#left, bytes.length - at);
    this.#left -= count;
    if (this.#left === 0) this.#state = "header";
    return count;
  }

  #lost(): never {
    throw malformed("the parser lost its place", this.#before);
  }
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
