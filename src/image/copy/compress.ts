import { createGzip, createZstdCompress, constants as zlib } from "node:zlib";
import { piped } from "../pull/decompress.ts";

/** How a layer is compressed. `zstd:chunked` is zstd whose files can be fetched one by one. */
export type Compression = "none" | "gzip" | "zstd" | "zstd:chunked";

export interface CompressionOptions {
  readonly format: Compression;
  /** gzip 1 to 9, zstd 1 to 20; the format's own default otherwise. */
  readonly level?: number | undefined;
}

const OUTPUT = 1 << 19;

/** Compresses a stream. gzip is at level 6 and zstd at 3 by default, as everywhere. */
export function compress(source: AsyncIterable<Uint8Array>, options: CompressionOptions): AsyncIterable<Uint8Array> {
  const { format, level } = options;
  if (format === "none") return source;
  if (format === "gzip")
    return piped(source, createGzip({ chunkSize: OUTPUT, ...(level === undefined ? {} : { level }) }));
  const params = level === undefined ? {} : { [zlib.ZSTD_c_compressionLevel]: level };
  return piped(source, createZstdCompress({ chunkSize: OUTPUT, params }));
}
