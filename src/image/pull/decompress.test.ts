import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { damaged, text, whole, zstd } from "./compressed-samples.ts";
import { decompress } from "./decompress.ts";

// A machine that does much else at the same time takes longer than the five seconds that are the default.
setDefaultTimeout(60_000);

async function* pieces(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

async function unpack(content: Uint8Array, size = 65_536): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(pieces(content, size))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("a layer is decompressed by what it is", () => {
  for (const [name, content, plain] of whole) {
    test(name, async () => {
      for (const size of [65_536, 1_000_000, 999]) expect((await unpack(content, size)).equals(plain)).toBeTrue();
    });
  }
});

test("the first bytes may come one by one", async () => {
  expect((await unpack(Bun.gzipSync(text.subarray(0, 50)), 1)).toString()).toBe(text.subarray(0, 50).toString());
});

describe("damage is told", () => {
  for (const [name, content, words] of damaged) test(name, () => expect(unpack(content)).rejects.toThrow(words));
});

test("a source that fails makes the reader fail in the same way", async () => {
  async function* cut(): AsyncGenerator<Uint8Array> {
    yield Bun.gzipSync(text).subarray(0, 1000);
    throw new Error("the line was cut");
  }
  const read = async () => {
    for await (const _ of decompress(cut()));
  };
  await expect(read()).rejects.toThrow("the line was cut");
});

test("a reader may stop while the source has nothing to give", async () => {
  async function* stuck(): AsyncGenerator<Uint8Array> {
    yield Bun.gzipSync(text);
    await new Promise(() => undefined);
  }
  for await (const chunk of decompress(stuck())) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
});

describe("chunks that are lent", () => {
  const random = Buffer.concat(Array.from({ length: 128 }, () => crypto.getRandomValues(new Uint8Array(1 << 16))));
  for (const [name, packed] of [
    ["gzip", Bun.gzipSync(random)],
    ["zstd", zstd(random)],
  ] as const) {
    test(`${name}: are all there, in few buffers that are used again`, async () => {
      const buffers = new Set<ArrayBufferLike>();
      const seen: Buffer[] = [];
      let before: Uint8Array = new Uint8Array();
      for await (const chunk of decompress(pieces(packed, 300_000), { lend: true })) {
        expect(seen.at(-1)?.equals(before) ?? true).toBeTrue(); // Good until the next but one is asked for.
        before = chunk;
        if (chunk.length > 100_000) buffers.add(chunk.buffer); // The stream itself copies small ones.
        seen.push(Buffer.from(chunk));
        await Bun.sleep(0); // The stream would go on meanwhile, if it did at all.
      }
      expect(Buffer.concat(seen).equals(random)).toBeTrue();
      expect(buffers.size).toBeWithin(1, 5);
    });
  }
});
