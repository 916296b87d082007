import { wrong } from "./wrong.ts";

/** Bytes of one of tar-split's documents at most: what lies between two files, which is seldom more than a few headers. */
const MOST_LINE = 16 << 20;

/** And so many documents: two for each of a million files. */
const MOST_DOCUMENTS = 2_000_000;

/** What raw bytes of an archive begin with as everybody writes them, and the bytes that end them and a line. */
const RAW = Buffer.from('{"type":2,"payload":"');
const [QUOTE, NEWLINE] = [0x22, 0x0a];

/** A document of tar-split's: raw bytes of the archive in base64, or a file. */
type Document = { readonly raw: Uint8Array } | { readonly size: unknown };

/**
 * What lies between the contents of an archive's files: headers, padding, and entries without content, as tar-split wrote them down. Keys
 * begin with a letter that no chunk's key begins with. They are of the text, as it is: nothing of it is decoded.
 */
export class Gaps {
  readonly #documents: Iterator<Document>;

  /** @param text one JSON document a line */
  constructor(text: Iterable<Uint8Array>) {
    this.#documents = documents(text);
  }

  /** The key of what is before the next file with content, which has to have this size. */
  before(size: number): string {
    const { file, key } = this.#next();
    if (file?.size !== size) throw wrong("tar-split's files are others");
    return key;
  }

  /** The key of what is behind the last file. */
  last(): string {
    const { file, key } = this.#next();
    if (file !== undefined) throw wrong("tar-split has more files");
    return key;
  }

  #next(): { readonly file?: { readonly size: unknown }; readonly key: string } {
    let hash = 0n;
    let length = 0;
    const key = () => `g${hash.toString(36)}-${length}`;
    for (let step = this.#documents.next(); step.done !== true; step = this.#documents.next()) {
      const document = step.value;
      if (!("raw" in document)) return { file: document, key: key() };
      // Not one that withstands an attack: what is put together by it is checked as a whole.
      hash = Bun.hash.wyhash(document.raw, hash);
      length += document.raw.length;
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

/** Without the detour of a text, for half of all documents, and nearly all bytes, are such. */
function rawOf(line: Buffer): Document | undefined {
  if (RAW.compare(line, 0, RAW.length) !== 0) return undefined;
  return { raw: line.subarray(RAW.length, line.indexOf(QUOTE, RAW.length)) };
}

function parsed(line: Buffer): Document | undefined {
  const { type, size, payload } = objectOf(line);
  if (type === 2 && typeof payload === "string") return { raw: Buffer.from(payload, "latin1") };
  return type === 1 && size !== undefined && size !== 0 ? { size } : undefined;
}

function objectOf(line: Buffer): { readonly type?: unknown; readonly size?: unknown; readonly payload?: unknown } {
  try {
    const document: unknown = JSON.parse(line.toString("latin1"));
    if (typeof document === "object" && document !== null) return document;
  } catch {
    // Said below.
  }
  throw wrong("tar-split's documents are no JSON objects");
}

/** Lines, each good until the next is asked for. */
function* lines(text: Iterable<Uint8Array>): Generator<Buffer> {
  let rest: Buffer[] = [];
  let length = 0;
  for (const bytes of text) {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      const line = piece.subarray(from, end);
      yield rest.length === 0 ? line : Buffer.concat([...rest, line]);
      [rest, length, from] = [[], 0, end + 1];
    }
    length += piece.length - from;
    if (length > MOST_LINE) throw wrong("one of tar-split's documents is too long");
    rest.push(Buffer.from(piece.subarray(from)));
  }
  if (length > 0) yield Buffer.concat(rest);
}
