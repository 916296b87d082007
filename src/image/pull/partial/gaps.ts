import { type JsonObject, jsonObject } from "../../json-object.ts";
import { wrong } from "./wrong.ts";

/** Bytes of one of tar-split's documents at most: what lies between two files, which is seldom more than a few headers. */
const MOST_LINE = 16 << 20;

/** And so many documents: two for each of a million files. */
const MOST_DOCUMENTS = 2_000_000;

/** What raw bytes of an archive begin with as everybody writes them, and the bytes that end them and a line. */
const RAW = Buffer.from('{"type":2,"payload":"');
const [QUOTE, NEWLINE] = [0x22, 0x0a];

/** Bits of a key, as many as a chunk's key has: with one more, it is a number that is exact. */
const KEY_BITS = 52;

/** A document of tar-split's: raw bytes of the archive in base64, or a file. */
type Document = { readonly raw: Uint8Array } | { readonly size: unknown };

/**
 * What lies between the contents of an archive's files: headers, padding, and entries without content, as tar-split wrote them down. Keys
 * are larger than any chunk's. They are of the text, as it is: nothing of it is decoded.
 */
export class Gaps implements Disposable {
  readonly #documents: Iterator<Document>;

  /** @param text one JSON document a line */
  constructor(text: Iterable<Uint8Array>) {
    this.#documents = documents(text);
  }

  /** The key of what is before the next file with content, which has to have this size. */
  before(size: number): number {
    const { file, key } = this.#next();
    if (file?.size !== size) throw wrong("tar-split's files are others");
    return key;
  }

  /** The key of what is behind the last file. */
  last(): number {
    const { file, key } = this.#next();
    if (file !== undefined) throw wrong("tar-split has more files");
    return key;
  }

  [Symbol.dispose](): void {
    this.#documents.return?.();
  }

  #next(): { readonly file?: { readonly size: unknown }; readonly key: number } {
    let hash = 0n;
    const key = () => 2 ** KEY_BITS + Number(BigInt.asUintN(KEY_BITS, hash));
    for (let step = this.#documents.next(); step.done !== true; step = this.#documents.next()) {
      const document = step.value;
      if (!("raw" in document)) return { file: document, key: key() };
      // Not one that withstands an attack: what is put together by it is checked as a whole.
      hash = Bun.hash.wyhash(document.raw, hash);
    }
    return { key: key() };
  }
}

/** Raw bytes, and files that have content. */
function* documents(text: Iterable<Uint8Array>): Generator<Document> {
  let count = 0;
  for (const line of lines(text)) {
    if (++count > MOST_DOCUMENTS) throw wrong("tar-split's documents are too many");
    const document = rawOf(line) ?? parsed(line);
    if (document !== undefined) yield document;
  }
}

/** Where a line lies: there are so many that a view of each would take more memory than what is in it. */
interface Line {
  readonly bytes: Buffer;
  readonly from: number;
  readonly end: number;
}

/** Without the detour of a text, for half of all documents, and nearly all bytes, are such. */
function rawOf({ bytes, from, end }: Line): Document | undefined {
  const start = from + RAW.length;
  if (start > end || bytes.compare(RAW, 0, RAW.length, from, start) !== 0) return undefined;
  return { raw: bytes.subarray(start, Math.min(end, bytes.indexOf(QUOTE, start))) };
}

function parsed(line: Line): Document | undefined {
  const { type, size, payload } = objectOf(line);
  if (type === 2 && typeof payload === "string") return { raw: Buffer.from(payload, "latin1") };
  return type === 1 && size !== undefined && size !== 0 ? { size } : undefined;
}

function objectOf({ bytes, from, end }: Line): JsonObject {
  const document = jsonObject(bytes.toString("latin1", from, end));
  if (document !== undefined) return document;
  throw wrong("tar-split's documents are no JSON objects");
}

/** Lines, each good until the next is asked for. */
function* lines(text: Iterable<Uint8Array>): Generator<Line> {
  let rest: Buffer[] = [];
  let length = 0;
  for (const view of text) {
    const piece = Buffer.from(view.buffer, view.byteOffset, view.length);
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      if (rest.length === 0) yield { bytes: piece, from, end };
      else yield wholly(Buffer.concat([...rest, piece.subarray(from, end)]));
      [rest, length, from] = [[], 0, end + 1];
    }
    length += piece.length - from;
    if (length > MOST_LINE) throw wrong("one of tar-split's documents is too long");
    rest.push(Buffer.from(piece.subarray(from)));
  }
  if (length > 0) yield wholly(Buffer.concat(rest));
}

function wholly(bytes: Buffer): Line {
  return { bytes, from: 0, end: bytes.length };
}
