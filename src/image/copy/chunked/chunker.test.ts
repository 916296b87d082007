import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { type Chunk, Chunker } from "./chunker.ts";
import { Crc64 } from "./crc64.ts";

/** Chunks of content that comes in pieces of `piece` bytes. */
function divided(content: Uint8Array, piece = 5000): Chunk[] {
  const chunks: Chunk[] = [];
  const chunker = new Chunker(({ bytes, zeros }) => chunks.push({ bytes: Buffer.from(bytes), zeros }));
  for (let at = 0; at < content.length; at += piece) chunker.push(content.subarray(at, at + piece));
  chunker.finish();
  return chunks;
}

/** The same bytes each time, as good as random. */
function noise(length: number, seed = "noise"): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, n) =>
    createHash("sha256").update(`${seed}${n}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

const joined = (chunks: readonly Chunk[]) => Buffer.concat(chunks.map(({ bytes }) => bytes));
const sizes = (chunks: readonly Chunk[]) => chunks.map(({ bytes, zeros }) => (zeros ? -bytes.length : bytes.length));

describe("a file's content is divided", () => {
  test("into chunks that are all of it, however it comes", () => {
    const content = noise(1_000_000);
    const chunks = divided(content);
    expect(joined(chunks).equals(content)).toBeTrue();
    expect(sizes(divided(content, 1))).toEqual(sizes(chunks));
    expect(chunks.length).toBeGreaterThan(5);
  });

  test("at the same places wherever they lie in a file", () => {
    const content = noise(1_000_000);
    const known = new Set(divided(content).map(({ bytes }) => Buffer.from(bytes).toString("base64")));
    const shifted = divided(Buffer.concat([noise(12_345, "before"), content]));
    const shared = shifted.filter(({ bytes }) => known.has(Buffer.from(bytes).toString("base64")));
    expect(shared.length).toBeGreaterThanOrEqual(known.size - 1);
  });

  test("around a hole of 1024 zeros, not of fewer", () => {
    const [zeros, few] = [Buffer.alloc(1024), Buffer.alloc(1023)];
    const [a, b] = [Buffer.from("before"), Buffer.from("behind")];
    expect(sizes(divided(Buffer.concat([a, zeros, b])))).toEqual([6, -1024, 6]);
    expect(sizes(divided(Buffer.concat([a, few, b])))).toEqual([6 + 1023 + 6]);
    expect(sizes(divided(Buffer.concat([zeros, a])))).toEqual([-1024, 6]);
    expect(sizes(divided(Buffer.concat([a, zeros])))).toEqual([6, -1024]);
  });

  test("after 4 MiB in any case", () => {
    expect(sizes(divided(Buffer.alloc(9 << 20)))).toEqual([-(4 << 20), -(4 << 20), -(1 << 20)]);
    expect(sizes(divided(Buffer.alloc(9 << 20, 1)))).toEqual([4 << 20, 4 << 20, 1 << 20]);
  });

  test("into nothing where there is none", () => expect(divided(Buffer.alloc(0))).toEqual([]));
});

test("the CRC is the one of ISO 3309 with all bits turned before and after", () => {
  const sum = new Crc64();
  sum.update(Buffer.from("1234"));
  sum.update(Buffer.from("56789"));
  expect(sum.digest().toString("hex")).toBe("b90956c775a41001");
});
