import { constants as zlib, zstdCompressSync } from "node:zlib";

/** Magic number of a skippable frame (RFC 8878, section 3.1.2), least significant byte first. */
const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18]);

/** Compresses each piece to a zstd frame of its own, which can be read without the others. */
export function frameWith(level: number): (bytes: Uint8Array) => Buffer {
  const options = { params: { [zlib.ZSTD_c_compressionLevel]: level } };
  return (bytes) => zstdCompressSync(bytes, options);
}

/** A frame that readers of zstd pass over. */
export function skippableFrame(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(content.length);
  return Buffer.concat([SKIPPABLE, length, content]);
}

/** Bytes of a skippable frame before its content. */
export const SKIPPABLE_HEADER = 8;
