import { describe, expect, test } from "bun:test";
import { damaged, text, whole } from "./compressed-samples.ts";
import { decompressSync } from "./decompress-sync.ts";

function* pieces(content: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

/** Pieces are lent, so each is copied. */
function unpack(content: Uint8Array, size = 65_536): Buffer {
  const copies: Buffer[] = [];
  for (const piece of decompressSync(pieces(content, size))) copies.push(Buffer.from(piece));
  return Buffer.concat(copies);
}

describe("a layer is decompressed by what it is, in this thread", () => {
  for (const [name, content, plain] of whole) {
    test(name, () => {
      for (const size of [65_536, 1_000_000, 999]) expect(unpack(content, size).equals(plain)).toBeTrue();
    });
  }
});

test("the first bytes may come one by one", () => {
  expect(unpack(Bun.gzipSync(text.subarray(0, 50)), 1).toString()).toBe(text.subarray(0, 50).toString());
});

describe("damage is told", () => {
  for (const [name, content, words] of damaged) test(name, () => expect(() => unpack(content)).toThrow(words));
});

test("a bomb is refused when it has unpacked to a gigabyte", () => {
  const packed = Bun.gzipSync(new Uint8Array(1 << 24));
  const bomb = Array.from({ length: 65 }, () => packed);
  const read = () => {
    for (const _ of decompressSync(bomb));
  };
  expect(read).toThrow("compressed bytes unpack to more than");
});
