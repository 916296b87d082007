/** Compressed content, whole and damaged, for the tests of what decompresses it. */
import { zstdCompressSync } from "node:zlib";

export const text = Buffer.from("a line of a layer\n".repeat(300_000));
export const zstd = (content: Uint8Array): Uint8Array => new Uint8Array(zstdCompressSync(content));

const gzip = Bun.gzipSync(text);
const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);

function altered(content: Uint8Array, change: (content: Uint8Array) => unknown): Uint8Array {
  const copy = content.slice();
  change(copy);
  return copy;
}

/** What it is called, the content, and what is in it. */
export const whole: readonly (readonly [string, Uint8Array, Buffer])[] = [
  ["gzip", gzip, text],
  ["gzip of several members", Buffer.concat([gzip, Bun.gzipSync(text)]), Buffer.concat([text, text])],
  ["zstd", zstd(text), text],
  ["zstd of several frames", Buffer.concat([zstd(text), skippable, zstd(text)]), Buffer.concat([text, text])],
  ["zstd that begins with a skippable frame", Buffer.concat([skippable, zstd(text)]), text],
  ["plain", text, text],
  ["plain and short", text.subarray(0, 3), text.subarray(0, 3)],
  ["plain, and it looks like bzip2", Buffer.from("BZhello"), Buffer.from("BZhello")],
  ["plain, and it looks like gzip", Buffer.from("\x1f\x8bhello", "latin1"), Buffer.from("\x1f\x8bhello", "latin1")],
  ["empty", new Uint8Array(), Buffer.alloc(0)],
];

/** What it is called, the content, and words of the failure. */
export const damaged: readonly (readonly [string, Uint8Array, string])[] = [
  ["truncated gzip", gzip.subarray(0, -9), "gzip data is damaged"],
  [
    "wrong checksum",
    altered(gzip, (copy) => copy.set([copy[copy.length - 6] === 0 ? 1 : 0], copy.length - 6)),
    "gzip data is damaged",
  ],
  ["rubbish after gzip", Buffer.concat([gzip, Buffer.alloc(64, 1)]), "gzip data is damaged"],
  ["altered zstd", altered(zstd(text), (copy) => copy.fill(0xff, 20, 40)), "zstd data is damaged"],
  ["xz", Buffer.from("fd377a585a000000", "hex"), "compressed with xz"],
  ["bzip2", Buffer.from("BZh61AY&SY"), "compressed with bzip2"],
];
