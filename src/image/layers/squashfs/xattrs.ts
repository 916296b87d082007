import { decodeName } from "../../../linux/sys/sys.ts";
import { damaged } from "./fault.ts";
import { LookupTable } from "./lookup-table.ts";
import type { Cursor, Metadata } from "./metadata.ts";
import type { Section } from "./section.ts";
import { type Place, placeOf } from "./superblock.ts";

/** By the kernel's numbers. Others are left out, as the kernel does. */
const PREFIXES = ["user.", "trusted.", "security."];

/** In an attribute's type: the value is elsewhere, where another file has the same. */
const ELSEWHERE = 0x100;

/** Bounds of Linux: XATTR_NAME_MAX, XATTR_SIZE_MAX, XATTR_LIST_MAX; the last also of all values of a file. */
const NAME_MAX = 255;
const VALUE_MAX = 65_536;
const ALL_MAX = 1 << 20;
const COUNT_MAX = 65_536 / 3;

/** Bytes that an attribute counts beside its value, whatever its name. */
const ATTRIBUTE = 64;

/** What attributes are read with. */
export interface XattrParts {
  readonly section: Section;
  readonly metadata: Metadata;
  /** Told of the bytes of each attribute that is read, of which many files may have the same. */
  readonly account: (bytes: number) => void;
}

/** Sets of attributes by number. */
export class Xattrs {
  private constructor(
    private readonly parts: XattrParts,
    private readonly sets: LookupTable,
    /** Of the attributes themselves. */
    private readonly table: { readonly start: number; readonly end: number },
  ) {}

  /** @param at where the superblock says them to be */
  static open(parts: XattrParts, at: number): Xattrs {
    const { section, metadata } = parts;
    const head = section.read(at, 16, "the head of the attributes");
    const start = Number(head.readBigUInt64LE(0));
    const what = "the table of attributes";
    const sets = new LookupTable(section, metadata, { start: at + 16, count: head.readUInt32LE(8), length: 16, what });
    return new Xattrs(parts, sets, { start, end: at });
  }

  /** The attributes of one set. */
  read(index: number): ReadonlyMap<string, Uint8Array> {
    const set = this.sets.entry(index);
    const count = set.readUInt32LE(8);
    if (count > COUNT_MAX) throw damaged(`a file with ${count} attributes`);
    const cursor = this.#cursor(placeOf(set.readBigUInt64LE(0)));
    const found = new Map<string, Uint8Array>();
    for (let left = count, bytes = 0; left > 0; left--) {
      const { name, value } = this.#attribute(cursor);
      this.parts.account(ATTRIBUTE + value.length);
      bytes += name.length + value.length;
      if (bytes > ALL_MAX) throw damaged(`a file whose attributes have more than ${ALL_MAX} bytes`);
      if (name !== "") found.set(name, value);
    }
    return found;
  }

  #cursor(place: Place): Cursor {
    return this.parts.metadata.cursor(this.table.start, this.table.end, place, "the attributes");
  }

  #attribute(cursor: Cursor): { readonly name: string; readonly value: Buffer } {
    const head = cursor.take(4);
    const type = head.readUInt16LE(0);
    const length = head.readUInt16LE(2);
    if (length === 0 || length > NAME_MAX) throw damaged(`an attribute whose name has ${length} bytes`);
    const name = cursor.take(length);
    if (name.includes(0)) throw damaged("an attribute whose name has zero bytes");
    const own = valueAt(cursor);
    const value = (type & ELSEWHERE) === 0 ? own : this.#elsewhere(own);
    const prefix = PREFIXES[type & ~ELSEWHERE];
    return { name: prefix === undefined ? "" : prefix + decodeName(name), value };
  }

  #elsewhere(reference: Buffer): Buffer {
    if (reference.length !== 8) throw damaged("an attribute that refers to nothing");
    return valueAt(this.#cursor(placeOf(reference.readBigUInt64LE(0))));
  }
}

function valueAt(cursor: Cursor): Buffer {
  const length = cursor.take(4).readUInt32LE(0);
  if (length > VALUE_MAX) throw damaged(`an attribute whose value has ${length} bytes`);
  return cursor.take(length);
}
