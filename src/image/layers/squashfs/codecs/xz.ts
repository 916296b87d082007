import { GalleyError } from "../../../../errors.ts";
import { LzmaDecoder } from "./lzma.ts";
import { byteAt, Output } from "./output.ts";
import { x86Decoded } from "./x86-filter.ts";

const MAGIC = "fd377a585a00";
const STREAM_HEADER = 12;
const LZMA2 = 0x21;
const X86 = 0x04;

/** Filters that make programs smaller, by their numbers (The .xz File Format, "Filter IDs"). */
const FILTERS: Readonly<Record<number, string>> = {
  3: "delta",
  5: "powerpc",
  6: "ia64",
  7: "arm",
  8: "armthumb",
  9: "sparc",
};

/** Unpacks the only block of an xz stream (The .xz File Format 1.1). Its CRC32 is checked; other checks are not used in squashfs. */
export function unpackXz(input: Uint8Array, most: number): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (bytes.toString("hex", 0, 6) !== MAGIC) throw new Error("it does not begin as xz does");
  const { end, filtered } = readBlockHeader(bytes, STREAM_HEADER);
  const output = new Output(most);
  const behind = unpackLzma2(bytes, end, output);
  const content = filtered ? x86Decoded(output.content) : output.content;
  if ((byteAt(bytes, 7) & 0xf) === 1) checkCrc(content, bytes, end + Math.ceil((behind - end) / 4) * 4);
  return content;
}

function checkCrc(content: Buffer, bytes: Buffer, at: number): void {
  if (at + 4 > bytes.length || bytes.readUInt32LE(at) !== Bun.hash.crc32(content))
    throw new Error("its check sum is wrong");
}

/** Where a block's header ends, and whether programs of x86 were made smaller. */
function readBlockHeader(bytes: Buffer, start: number): { readonly end: number; readonly filtered: boolean } {
  const end = start + (byteAt(bytes, start) + 1) * 4;
  const flags = byteAt(bytes, start + 1);
  let at = start + 2;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; factor < 2 ** 49; factor *= 128) {
      const byte = byteAt(bytes, at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new Error("it has a number without end");
  };
  for (const present of [0x40, 0x80]) if ((flags & present) !== 0) number();
  const filters = Array.from({ length: (flags & 3) + 1 }, () => {
    const id = number();
    const properties = number();
    at += properties;
    return id;
  });
  if (at > end || filters.at(-1) !== LZMA2) throw new Error("it does not end with LZMA2");
  const [own = X86, ...more] = filters.slice(0, -1);
  if (own !== X86 || more.length > 0) throw unknownFilter(own);
  return { end, filtered: filters.length > 1 };
}

function unknownFilter(id: number): GalleyError {
  return new GalleyError("unimplemented", `the squashfs is compressed with xz and its filter ${FILTERS[id] ?? id}`, {
    hint: "make it again without -Xbcj, or with -Xbcj x86",
  });
}

/** Chunks of LZMA, or of bytes as they are; gives where they end. */
function unpackLzma2(bytes: Buffer, start: number, output: Output): number {
  const decoder = new LzmaDecoder(output);
  for (let at = start; ; ) {
    const control = byteAt(bytes, at);
    if (control === 0) return at + 1;
    if (control < 0x80) {
      if (control > 2) throw new Error(`it has a chunk of the unknown kind ${control}`);
      const size = chunkNumber(bytes, at + 1);
      output.literals(bytes, at + 3, size);
      at += 3 + size;
    } else at = unpackChunk(bytes, at, decoder, output);
  }
}

function unpackChunk(bytes: Buffer, at: number, decoder: LzmaDecoder, output: Output): number {
  const control = byteAt(bytes, at);
  const size = ((control & 0x1f) << 16) + chunkNumber(bytes, at + 1);
  const reset = (control >> 5) & 3;
  const from = at + (reset >= 2 ? 6 : 5);
  const end = from + chunkNumber(bytes, at + 3);
  if (size > output.bytes.length - output.length) throw new Error("it is larger than a block");
  if (reset >= 2) decoder.properties(byteAt(bytes, at + 5));
  else if (reset === 1) decoder.forget();
  decoder.decode(bytes, from, end, output.length + size);
  return end;
}

/** Two bytes, the higher one first, which say one less than they mean. */
function chunkNumber(bytes: Buffer, at: number): number {
  return ((byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)) + 1;
}
