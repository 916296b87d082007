import { Reader } from "./reader.ts";
import { type DbusValue, type Variant, variant } from "./types.ts";
import { Writer } from "./writer.ts";

/** Message types (D-Bus Specification, "Message Format"). */
export const messageType = { call: 1, reply: 2, error: 3, signal: 4 } as const;

export interface Message {
  readonly type: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly destination?: string;
  /** Of the body; empty where there is none. */
  readonly signature: string;
  readonly body: readonly DbusValue[];
}

/** Codes and types of the header fields that are used here. */
const fields = [
  ["path", 1, "o"],
  ["interface", 2, "s"],
  ["member", 3, "s"],
  ["errorName", 4, "s"],
  ["replySerial", 5, "u"],
  ["destination", 6, "s"],
  ["signature", 8, "g"],
] as const;

const PROTOCOL = 1;
/** Bytes before the array of header fields, with the length of the array. */
const FIXED = 16;
/** A message may be as large as this, says the specification. */
const LARGEST = 2 ** 27;
const LITTLE = "l".charCodeAt(0);

export function encodeMessage(message: Message): Uint8Array {
  const body = new Writer();
  body.writeAll(message.signature, message.body);
  const content = body.bytes();
  const head = new Writer();
  for (const byte of [LITTLE, message.type, 0, PROTOCOL]) head.write("y", byte);
  head.write("u", content.length);
  head.write("u", message.serial);
  head.write("a(yv)", headerFields(message));
  head.pad(8);
  return Buffer.concat([head.bytes(), content]);
}

function headerFields(message: Message): DbusValue[] {
  return fields.flatMap(([name, code, type]) => {
    const value = message[name];
    return value === undefined || value === "" ? [] : [[code, variant(type, value)]];
  });
}

/** The message that bytes begin with and its length; undefined where it is not there whole. Throws for what is no message. */
export function decodeMessage(bytes: Uint8Array): { readonly message: Message; readonly length: number } | undefined {
  if (bytes.length < FIXED) return undefined;
  const little = bytes[0] === LITTLE;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodyLength = view.getUint32(4, little);
  const bodyAt = Math.ceil((FIXED + view.getUint32(12, little)) / 8) * 8;
  const length = bodyAt + bodyLength;
  if (bytes[3] !== PROTOCOL || length > LARGEST) throw new Error("the answer is no D-Bus message");
  if (bytes.length < length) return undefined;
  const head = new Reader(bytes.subarray(0, bodyAt), little);
  const [, type, , , , serial, list] = head.readAll("yyyyuua(yv)");
  const found = namedFields(list as readonly DbusValue[]);
  const signature = found.signature ?? "";
  const body = new Reader(bytes.subarray(bodyAt, length), little).readAll(signature);
  return { message: { ...found, type: type as number, serial: serial as number, signature, body }, length };
}

function namedFields(list: readonly DbusValue[]): Partial<Message> {
  const entries = (list as readonly (readonly [number, Variant])[]).flatMap(([code, { value }]) => {
    const field = fields.find(([, known]) => known === code);
    return field === undefined ? [] : [[field[0], value]];
  });
  return Object.fromEntries(entries) as Partial<Message>;
}
