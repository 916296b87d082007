import { alignmentOf, type DbusValue, membersOf, typesOf } from "./types.ts";

/** Reads D-Bus values from a message that is whole (D-Bus Specification, "Marshaling"). Throws RangeError past its end. */
export class Reader {
  readonly #view: DataView;
  #at = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly littleEndian = true,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** One value for each complete type of a signature. */
  readAll(signature: string): DbusValue[] {
    return typesOf(signature).map((type) => this.read(type));
  }

  read(type: string): DbusValue {
    this.pad(alignmentOf(type));
    const kind = type.charAt(0);
    if (kind === "a") return this.#array(type.slice(1));
    if (kind === "(" || kind === "{") return membersOf(type).map((member) => this.read(member));
    if (kind === "v") return this.#variant();
    if (kind === "s" || kind === "o") return this.#text(this.#number("u"));
    if (kind === "g") return this.#text(this.#number("y"));
    if (kind === "b") return this.#number("u") !== 0;
    return kind === "x" || kind === "t" ? this.#wide(kind) : this.#number(kind);
  }

  pad(alignment: number): void {
    this.#at += (alignment - (this.#at % alignment)) % alignment;
  }

  #number(kind: string): number {
    const [view, at, little] = [this.#view, this.#at, this.littleEndian];
    this.#at += alignmentOf(kind);
    if (kind === "y") return view.getUint8(at);
    if (kind === "n") return view.getInt16(at, little);
    if (kind === "q") return view.getUint16(at, little);
    if (kind === "i") return view.getInt32(at, little);
    return kind === "d" ? view.getFloat64(at, little) : view.getUint32(at, little);
  }

  #wide(kind: string): bigint {
    const at = this.#at;
    this.#at += 8;
    return kind === "x"
      ? this.#view.getBigInt64(at, this.littleEndian)
      : this.#view.getBigUint64(at, this.littleEndian);
  }

  /** Behind its length; a zero byte follows it. */
  #text(length: number): string {
    const start = this.#at;
    this.#at += length + 1;
    if (this.#at > this.bytes.length) throw new RangeError("a D-Bus string ends beyond its message");
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  #variant(): DbusValue {
    const signature = this.#text(this.#number("y"));
    return { signature, value: this.read(signature) };
  }

  #array(element: string): DbusValue {
    const length = this.#number("u");
    this.pad(alignmentOf(element));
    const end = this.#at + length;
    if (end > this.bytes.length) throw new RangeError("a D-Bus array ends beyond its message");
    if (element === "y") {
      const start = this.#at;
      this.#at = end;
      return this.bytes.slice(start, end);
    }
    const values: DbusValue[] = [];
    while (this.#at < end) values.push(this.read(element));
    return values;
  }
}
