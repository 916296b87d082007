import { createGzip, createZstdCompress, constants as zlib } from "node:zlib";
import { piped } from "../pull/decompress.ts";
import type { Annotations } from "./chunked/annotations.ts";

/** How a layer is compressed. `zstd:chunked` is zstd whose files can be fetched one by one. */
export type Compression = "none" | "gzip" | "zstd" | "zstd:chunked";

export interface CompressionOptions {
  readonly format: Compression;
  /** gzip 1 to 9, zstd 1 to 20; the format's own default otherwise. */
  readonly level?: number | undefined;
}

const OUTPUT = 1 << 19;

const ZSTD_LEVEL = 3;

/**
 * Compresses a stream. gzip is at level 6 and zstd at 3 by default, as everywhere.
 * @param annotate told at the end of `zstd:chunked` what the layer's descriptor is to say of it
 */
export function compress(
  source: AsyncIterable<Uint8Array>,
  options: CompressionOptions,
  annotate: (annotations: Annotations) => void = () => undefined,
): AsyncIterable<Uint8Array> {
  const { format, level } = options;
  if (format === "zstd:chunked") return chunked(source, level ?? ZSTD_LEVEL, annotate);
  if (format === "none") return source;
  if (format === "gzip")
    return piped(source, createGzip({ chunkSize: OUTPUT, ...(level === undefined ? {} : { level }) }));
  const params = level === undefined ? {} : { [zlib.ZSTD_c_compressionLevel]: level };
  return piped(source, createZstdCompress({ chunkSize: OUTPUT, params }));
}

async function* chunked(
  source: AsyncIterable<Uint8Array>,
  level: number,
  annotate: (annotations: Annotations) => void,
): AsyncGenerator<Uint8Array> {
  const { ChunkedWriter } = await import("./chunked/chunked-writer.ts");
  const writer = new ChunkedWriter(level);
  for await (const chunk of source) yield* writer.push(chunk);
  const { output, annotations } = writer.finish();
  yield* output;
  if (annotations !== undefined) annotate(annotations);
}
