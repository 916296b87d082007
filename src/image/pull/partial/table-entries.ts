import { type JsonObject, jsonObject } from "../../json-object.ts";
import { wrong } from "./wrong.ts";

/** Bytes of an entry, and of all that is no entry, at most; and so many entries: as many as files may lie in a layer, with their chunks. */
const MOST_ENTRY = 4 << 20;
const MOST_AROUND = 4 << 20;
const MOST_ENTRIES = 1_000_000;

/** Entries after which what was left behind is collected: the engine lets it grow to a hundred megabytes. */
const COLLECTED = 15_000;

/** Objects of the list that the table's one object has. */
const ENTRY_DEPTH = 3;

const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Reads a table of contents (containers/storage, pkg/chunked) while it is decompressed, an entry at a time: as a whole, tens of thousands of
 * them would fill the memory.
 * @returns what the table says beside its entries
 */
export function* tableEntries(text: Iterable<Uint8Array>): Generator<JsonObject, JsonObject> {
  let around = "";
  let count = 0;
  for (const { text: part, isEntry } of split(text)) {
    if (isEntry && ++count > MOST_ENTRIES) throw wrong("it has too many entries");
    if (isEntry) yield parsed(part);
    if (isEntry && count % COLLECTED === 0) Bun.gc(true);
    around += isEntry ? "0" : part; // Something has to be in its place.
    if (around.length > MOST_AROUND) throw wrong("it is of other things than entries");
  }
  const table = parsed(around);
  const { entries } = table;
  if (Array.isArray(entries) && entries.filter((entry) => entry === 0).length === count) return table;
  throw wrong("it has no entries");
}

interface Part {
  readonly text: string;
  readonly isEntry: boolean;
}

/** The text in parts: each entry, and what is between them. */
function* split(text: Iterable<Uint8Array>): Generator<Part> {
  const brackets = new Brackets();
  let begun: Buffer[] = [];
  let length = 0;
  for (const view of text) {
    const piece = Buffer.from(view.buffer, view.byteOffset, view.length);
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      const edge = brackets.next(piece[at] ?? 0);
      if (edge === 0) continue;
      const end = edge === 1 ? at : at + 1;
      const whole =
        begun.length === 0 ? piece.toString("utf8", from, end) : textOf([...begun, piece.subarray(from, end)]);
      yield { text: whole, isEntry: edge === -1 };
      [begun, length, from] = [[], 0, end];
    }
    length += piece.length - from;
    if (length > MOST_ENTRY) throw wrong("one of its entries is too long");
    begun.push(Buffer.from(piece.subarray(from)));
  }
  yield { text: textOf(begun), isEntry: false };
}

function textOf(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString("utf8");
}

/** How deep in objects and lists a JSON text is. */
class Brackets {
  #depth = 0;
  #inText = false;
  #escaped = false;

  /** Takes the next byte. @returns 1 where an entry begins with it, -1 where one ends with it, else 0 */
  next(byte: number): 1 | 0 | -1 {
    if (this.#inText) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inText = false;
    } else if (byte === QUOTE) this.#inText = true;
    else if (byte === OPEN || byte === OPEN_LIST) return ++this.#depth === ENTRY_DEPTH && byte === OPEN ? 1 : 0;
    else if (byte === CLOSE || byte === CLOSE_LIST) return this.#depth-- === ENTRY_DEPTH && byte === CLOSE ? -1 : 0;
    return 0;
  }
}

function parsed(text: string): JsonObject {
  const object = jsonObject(text);
  if (object !== undefined) return object;
  throw wrong("it is no JSON object");
}
