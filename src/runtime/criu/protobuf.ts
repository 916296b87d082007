/** Protocol Buffers' wire format (protobuf.dev, "Encoding"), as much of it as CRIU's messages take: varints, strings, messages in messages. */
import { GalleyError } from "../../errors.ts";

const VARINT = 0;
const LENGTH = 2;

/** What a field holds: several of its kind are a repeated field, nothing is no field. */
export type FieldValue = number | boolean | string | Fields | readonly FieldValue[] | undefined;

/** A message: its fields by number. Numbers are unsigned, up to 2^53. */
export interface Fields {
  readonly [field: number]: FieldValue;
}

/** The bytes of a message, fields in the order of their numbers. */
export function encodeMessage(fields: Fields): Uint8Array {
  return Uint8Array.from(Object.entries(fields).flatMap(([field, value]) => encodeField(Number(field), value)));
}

function encodeField(field: number, value: FieldValue): number[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((one: FieldValue) => encodeField(field, one));
  if (typeof value === "number" || typeof value === "boolean")
    return [...varint(field * 8 + VARINT), ...varint(Number(value))];
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : encodeMessage(value as Fields);
  return [...varint(field * 8 + LENGTH), ...varint(bytes.length), ...bytes];
}

function varint(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [low] : [low + 128, ...varint(Math.floor(value / 128))];
}

/** A message as it was read; of a field that is there twice the last one counts. */
export class Message {
  readonly #numbers = new Map<number, number>();
  readonly #bytes = new Map<number, Uint8Array>();

  /** Throws `data_loss` for bytes that are no message. */
  constructor(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length; ) {
      const [key, next] = readVarint(bytes, at);
      const [value, after] = key % 8 === VARINT || key % 8 === LENGTH ? readVarint(bytes, next) : refuse();
      const field = Math.floor(key / 8);
      if (key % 8 === VARINT) this.#numbers.set(field, value);
      else this.#bytes.set(field, sliceOf(bytes, after, value));
      at = key % 8 === VARINT ? after : after + value;
    }
  }

  /** 0 where it is missing. */
  number(field: number): number {
    return this.#numbers.get(field) ?? 0;
  }

  has(field: number): boolean {
    return this.#numbers.has(field) || this.#bytes.has(field);
  }

  /** Empty where it is missing. */
  text(field: number): string {
    return new TextDecoder().decode(this.#bytes.get(field) ?? new Uint8Array());
  }

  /** Empty where it is missing. */
  message(field: number): Message {
    return new Message(this.#bytes.get(field) ?? new Uint8Array());
  }
}

function sliceOf(bytes: Uint8Array, from: number, length: number): Uint8Array {
  return from + length > bytes.length ? refuse() : bytes.subarray(from, from + length);
}

/** Its value, and where the next one begins. Those of negative numbers have ten bytes, and lose their high bits here. */
function readVarint(bytes: Uint8Array, from: number): [number, number] {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[from + index] ?? refuse();
    if (index < 7) value += (byte % 128) * 128 ** index;
    if (byte < 128) return [value, from + index + 1];
  }
  return refuse();
}

function refuse(): never {
  throw new GalleyError("data_loss", "CRIU sent what is no message of its protocol");
}
