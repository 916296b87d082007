import { inflateSync, zstdDecompressSync } from "node:zlib";
import { GalleyError } from "../../../errors.ts";

/** Unpacks a block that may have up to `most` bytes; fails in any way where it is damaged or larger. */
export type Unpack = (packed: Uint8Array, most: number) => Buffer;

/** The kernel's numbers of them, with their names and what unpacks them. */
const compressors: Readonly<Record<number, readonly [name: string, unpack: Unpack | undefined]>> = {
  1: ["gzip", (packed, most) => inflateSync(packed, { maxOutputLength: most })],
  2: ["lzma", undefined],
  3: ["lzo", undefined],
  4: ["xz", undefined],
  5: ["lz4", undefined],
  6: ["zstd", (packed, most) => zstdDecompressSync(packed, { maxOutputLength: most })],
};

/** What unpacks the blocks of a file system with this compressor; `unimplemented` where nothing here does. */
export function unpackerOf(compression: number): Unpack {
  const [name, unpack] = compressors[compression] ?? [`compressor ${compression}`];
  if (unpack !== undefined) return unpack;
  const known = Object.values(compressors).flatMap(([one, reader]) => (reader === undefined ? [] : [one]));
  throw new GalleyError("unimplemented", `the squashfs is compressed with ${name}, which is not read`, {
    hint: `make it again with one of ${known.join(", ")}: mksquashfs -comp ${known[0]}`,
  });
}
