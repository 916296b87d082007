import { byteAt, Output } from "./output.ts";

/** Unpacks a block of LZ4 (LZ4 Block Format Description). */
export function unpackLz4(input: Uint8Array, most: number): Buffer {
  const output = new Output(most);
  let at = 0;
  const length = (nibble: number): number => {
    let sum = nibble;
    for (let more = nibble === 15; more; ) {
      const byte = byteAt(input, at++);
      sum += byte;
      more = byte === 255;
    }
    return sum;
  };
  while (at < input.length) {
    const token = byteAt(input, at++);
    const literals = length(token >> 4);
    output.literals(input, at, literals);
    at += literals;
    if (at >= input.length) break; // The last sequence is of literals alone.
    const distance = byteAt(input, at) | (byteAt(input, at + 1) << 8);
    at += 2;
    output.repeat(distance, length(token & 15) + 4);
  }
  return output.content;
}
