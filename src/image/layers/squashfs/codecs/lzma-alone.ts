import { LzmaDecoder } from "./lzma.ts";
import { Output } from "./output.ts";

/** Properties, size of the dictionary, size of the content. */
const HEADER = 13;

/** Unpacks LZMA as `.lzma` files have it (LZMA specification, "lzma file format"). */
export function unpackLzma(input: Uint8Array, most: number): Buffer {
  const header = Buffer.from(input.subarray(0, HEADER));
  if (header.length < HEADER) throw new Error("it ends too early");
  const size = Number(header.readBigInt64LE(5));
  if (size > most) throw new Error("it is larger than a block");
  const output = new Output(most);
  const decoder = new LzmaDecoder(output);
  decoder.properties(header.readUInt8(0));
  decoder.decode(input, HEADER, input.length, size < 0 ? most : size);
  return output.content;
}
