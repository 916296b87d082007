import { alignmentOf, type DbusValue, membersOf, typesOf, type Variant } from "./types.ts";

/** Writes D-Bus values, little-endian (D-Bus Specification, "Marshaling"). */
export class Writer {
  readonly #bytes: number[] = [];

  /** Writes one value for each complete type of a signature. */
  writeAll(signature: string, values: readonly DbusValue[]): void {
    const types = typesOf(signature);
    if (types.length !== values.length) throw new Error(`${values.length} values for the signature ${signature}`);
    types.forEach((type, index) => {
      this.write(type, values[index] as DbusValue);
    });
  }

  write(type: string, value: DbusValue): void {
    this.pad(alignmentOf(type));
    const kind = type.charAt(0);
    if (kind === "a") this.#array(type.slice(1), value);
    else if (kind === "(" || kind === "{") this.#members(type, value as readonly DbusValue[]);
    else if (kind === "v") this.#variant(value as Variant);
    else if (kind === "s" || kind === "o") this.#string(value as string);
    else if (kind === "g") this.#signature(value as string);
    else if (kind === "d") this.#double(value as number);
    else this.#integer(alignmentOf(kind), value as number | bigint | boolean);
  }

  pad(alignment: number): void {
    while (this.#bytes.length % alignment !== 0) this.#bytes.push(0);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #integer(size: number, value: number | bigint | boolean): void {
    const bits = BigInt.asUintN(size * 8, BigInt(value));
    for (let byte = 0; byte < size; byte++) this.#bytes.push(Number((bits >> BigInt(byte * 8)) & 0xffn));
  }

  #double(value: number): void {
    this.#bytes.push(...new Uint8Array(Float64Array.of(value).buffer));
  }

  #string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#integer(4, bytes.length);
    this.#bytes.push(...bytes, 0);
  }

  #signature(text: string): void {
    this.#bytes.push(text.length, ...new TextEncoder().encode(text), 0);
  }

  #variant({ signature, value }: Variant): void {
    this.#signature(signature);
    this.write(signature, value);
  }

  #members(type: string, values: readonly DbusValue[]): void {
    membersOf(type).forEach((member, index) => {
      this.write(member, values[index] as DbusValue);
    });
  }

  /** The length counts from the first element, behind its padding, which is there even where no element is. */
  #array(element: string, value: DbusValue): void {
    const lengthAt = this.#bytes.length;
    this.#integer(4, 0);
    this.pad(alignmentOf(element));
    const start = this.#bytes.length;
    if (value instanceof Uint8Array) this.#bytes.push(...value);
    else for (const one of value as readonly DbusValue[]) this.write(element, one);
    const length = this.#bytes.length - start;
    for (let byte = 0; byte < 4; byte++) this.#bytes[lengthAt + byte] = (length >> (byte * 8)) & 0xff;
  }
}
