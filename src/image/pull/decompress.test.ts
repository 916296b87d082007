import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import { decompress } from "./decompress.ts";

// A machine that does much else at the same time takes longer than the five seconds that are the default.
setDefaultTimeout(60_000);

const text = Buffer.from("a line of a layer\n".repeat(300_000));
const zstd = (content: Uint8Array) => new Uint8Array(zstdCompressSync(content));
const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);

async function* pieces(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

async function unpack(content: Uint8Array, size = 65_536): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(pieces(content, size))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("a layer is decompressed by what it is", () => {
  const rows: readonly (readonly [string, Uint8Array, Buffer])[] = [
    ["gzip", Bun.gzipSync(text), text],
    ["gzip of several members", Buffer.concat([Bun.gzipSync(text), Bun.gzipSync(text)]), Buffer.concat([text, text])],
    ["zstd", zstd(text), text],
    ["zstd of several frames", Buffer.concat([zstd(text), skippable, zstd(text)]), Buffer.concat([text, text])],
    ["zstd that begins with a skippable frame", Buffer.concat([skippable, zstd(text)]), text],
    ["plain", text, text],
    ["plain and short", text.subarray(0, 3), text.subarray(0, 3)],
    ["empty", new Uint8Array(), Buffer.alloc(0)],
  ];
  for (const [name, content, plain] of rows) {
    test(name, async () => {
      for (const size of [65_536, 1_000_000, 999]) expect((await unpack(content, size)).equals(plain)).toBeTrue();
    });
  }
});

test("the first bytes may come one by one", async () => {
  expect((await unpack(Bun.gzipSync(text.subarray(0, 50)), 1)).toString()).toBe(text.subarray(0, 50).toString());
});

describe("damage is told", () => {
  const gzip = Bun.gzipSync(text);
  test("truncated gzip", () => expect(unpack(gzip.subarray(0, -9))).rejects.toThrow("gzip data is damaged"));
  test("wrong checksum", () => {
    const altered = gzip.slice();
    altered[altered.length - 6]! ^= 1;
    return expect(unpack(altered)).rejects.toThrow("gzip data is damaged");
  });
  test("rubbish after gzip", () =>
    expect(unpack(Buffer.concat([gzip, Buffer.alloc(64, 1)]))).rejects.toThrow("damaged"));
  test("altered zstd", () => {
    const altered = zstd(text);
    altered.fill(0xff, 20, 40);
    return expect(unpack(altered)).rejects.toThrow("zstd data is damaged");
  });
  test("other compressions are named", () => {
    const xz = Buffer.from("fd377a585a000000", "hex");
    return expect(unpack(xz)).rejects.toThrow("compressed with xz");
  });
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
