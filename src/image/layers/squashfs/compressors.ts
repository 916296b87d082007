import { inflateSync, zstdDecompressSync } from "node:zlib";
import { GalleyError } from "../../../errors.ts";
import { unpackLz4 } from "./codecs/lz4.ts";
import { unpackLzma } from "./codecs/lzma-alone.ts";
import { unpackLzo } from "./codecs/lzo.ts";
import { unpackXz } from "./codecs/xz.ts";

/** Unpacks a block that may have up to `most` bytes; fails in any way where it is damaged or larger. */
export type Unpack = (packed: Uint8Array, most: number) => Buffer;

/** The kernel's numbers of them, with their names and what unpacks them. */
const compressors: Readonly<Record<number, readonly [name: string, unpack: Unpack]>> = {
  1: ["gzip", (packed, most) => inflateSync(packed, { maxOutputLength: most })],
  2: ["lzma", unpackLzma],
  3: ["lzo", unpackLzo],
  4: ["xz", unpackXz],
  5: ["lz4", unpackLz4],
  6: ["zstd", (packed, most) => zstdDecompressSync(packed, { maxOutputLength: most })],
};

/** What unpacks the blocks of a file system with this compressor; `unimplemented` where nothing here does. */
export function unpackerOf(compression: number): Unpack {
  const unpack = compressors[compression]?.[1];
  if (unpack !== undefined) return unpack;
  const known = Object.values(compressors).map(([name]) => name);
  throw new GalleyError(
    "unimplemented",
    `the squashfs is compressed with compressor ${compression}, which is not known`,
    {
      hint: `make it again with one of ${known.join(", ")}: mksquashfs -comp ${known[0]}`,
    },
  );
}
