/** Archives put together block by block, wrong ones too, for tests. */

interface Fields {
  readonly name: string;
  readonly flag?: string;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly prefix?: string;
  readonly magic?: string;
  /** Numbers in GNU's base 256. */
  readonly binary?: boolean;
  /** Added to the right checksum. */
  readonly checksum?: number;
  readonly raw?: { readonly size: string };
}

/** A header block, and the content filled up to whole blocks. */
export function header(fields: Fields, content: string | Uint8Array = ""): Buffer {
  return Buffer.concat([finished(headerBlock(fields), fields.checksum ?? 0), padded(Buffer.from(content as string))]);
}

/** A header of GNU's old sparse format with as many further blocks as its places need. */
header.sparse = (fields: Fields, size: number, places: readonly (readonly [number, number])[]): Buffer => {
  const block = headerBlock({ ...fields, flag: "S", magic: "ustar  \0" });
  const rest = places.slice(4);
  table(block, 386, places.slice(0, 4));
  block[482] = rest.length > 0 ? 1 : 0;
  block.write(size.toString(8).padStart(11, "0"), 483);
  const blocks = [finished(block, 0)];
  for (let at = 0; at < rest.length; at += 21) {
    const further = Buffer.alloc(512);
    table(further, 0, rest.slice(at, at + 21));
    further[504] = at + 21 < rest.length ? 1 : 0;
    blocks.push(further);
  }
  return Buffer.concat(blocks);
};

/** A PAX record. */
export function record(keyword: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`), Buffer.from(value as string), Buffer.from("\n")]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** An extended header of these records. */
export function pax(...records: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(records);
  return header({ name: "PaxHeaders/x", flag: "x", size: content.length }, content);
}

pax.global = (...records: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(records);
  return header({ name: "GlobalHead", flag: "g", size: content.length }, content);
};

/** The parts, filled up to whole blocks, and the end. */
export function archive(...parts: readonly (Uint8Array | string)[]): Buffer {
  return Buffer.concat([...parts.map((part) => padded(Buffer.from(part as string))), Buffer.alloc(1024)]);
}

/** Makes the checksum of the block at `offset` right, whatever is in it. */
export function sealed(bytes: Buffer, offset: number): void {
  finished(bytes.subarray(offset, offset + 512), 0);
}

function headerBlock(fields: Fields): Buffer {
  const block = Buffer.alloc(512);
  const number = (value: number, at: number, length: number) => {
    if (fields.binary === true) writeBinary(block, value, at, length);
    else block.write(value.toString(8).padStart(length - 1, "0"), at);
  };
  bytesOf(fields.name).copy(block, 0);
  number(fields.mode ?? 0o644, 100, 8);
  number(fields.uid ?? 0, 108, 8);
  number(fields.gid ?? 0, 116, 8);
  number(fields.size ?? 0, 124, 12);
  number(fields.mtime ?? 0, 136, 12);
  if (fields.raw !== undefined) block.write(fields.raw.size.padEnd(12, "\0"), 124);
  block.write(fields.flag ?? "0", 156);
  block.write(fields.linkName ?? "", 157);
  block.write(fields.magic ?? "ustar\x0000", 257);
  number(fields.major ?? 0, 329, 8);
  number(fields.minor ?? 0, 337, 8);
  block.write(fields.prefix ?? "", 345);
  return block;
}

/** A lone surrogate U+DC80 to U+DCFF stands for a byte. */
function bytesOf(name: string): Buffer {
  return Buffer.concat([...name].map((c) => (c.isWellFormed() ? Buffer.from(c) : Buffer.of(c.charCodeAt(0) - 0xdc00))));
}

function writeBinary(block: Buffer, value: number, at: number, length: number): void {
  let rest = BigInt(value);
  for (let i = at + length - 1; i > at; i--, rest >>= 8n) block[i] = Number(rest & 0xffn);
  block[at] = Number(rest & 0x7fn) | 0x80;
}

function finished(block: Buffer, error: number): Buffer {
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, error);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function table(block: Buffer, at: number, places: readonly (readonly [number, number])[]): void {
  for (const [index, [offset, length]] of places.entries()) {
    block.write(offset.toString(8).padStart(11, "0"), at + 24 * index);
    block.write(length.toString(8).padStart(11, "0"), at + 24 * index + 12);
  }
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
