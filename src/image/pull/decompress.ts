import type { Duplex } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { Expansion } from "../verify/expansion.ts";
import { damaged, type Format, formatOf, HEAD } from "./format.ts";
import { reuseOutput } from "./reused-output.ts";

/** Bytes of output at a time: with this the pool thread that decompresses is seldom waited for. */
const OUTPUT = 1 << 19;

/** The stream takes a chunk when it is done with the one before, and makes one when the one before was taken. */
const ONE_AT_A_TIME = { readableHighWaterMark: 1, writableHighWaterMark: 1 };

export interface DecompressOptions {
  /** Chunks are lent, to and fro: each is good until the next but one is asked for. Far less memory is touched then. */
  readonly lend?: boolean;
}

/**
 * The tar in a layer's blob: gzip (RFC 1952, any number of members), zstd (RFC 8878, any number of frames, skippable ones too)
 * or as it is. The first bytes decide: media types are at times wrong. Damaged content is `data_loss`.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const head = await readHead(iterator);
    const format = formatOf(head);
    const whole = concat(head, iterator);
    yield* format === "tar" ? whole : inflate(whole, format, options);
  } finally {
    abandon(iterator);
  }
}

/** Ends a source without waiting: it may itself wait for bytes that come late or never. */
function abandon(iterator: AsyncIterator<Uint8Array>): void {
  void iterator.return?.().catch(() => undefined);
}

/** Enough of the beginning to know the format, or all there is. */
export async function readHead(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head = new Uint8Array();
  while (head.length < HEAD) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    head = head.length === 0 ? new Uint8Array(value) : Buffer.concat([head, value]);
  }
  return head;
}

/** What was read, and the rest. */
export async function* concat(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
}

async function* inflate(
  source: AsyncIterable<Uint8Array>,
  format: Exclude<Format, "tar">,
  options: DecompressOptions,
): AsyncGenerator<Uint8Array> {
  const expansion = new Expansion();
  for await (const chunk of inflated(expansion.counting(source), format, options)) {
    expansion.check(chunk.length);
    yield chunk;
  }
}

function inflated(
  source: AsyncIterable<Uint8Array>,
  format: Exclude<Format, "tar">,
  { lend = false }: DecompressOptions,
): AsyncIterable<Uint8Array> {
  const options = { chunkSize: OUTPUT, ...(lend ? ONE_AT_A_TIME : {}) };
  const stream = format === "gzip" ? createGunzip(options) : createZstdDecompress(options);
  if (lend) reuseOutput(stream, OUTPUT);
  return piped(source, stream, (failure) => damaged(format, failure));
}

/** What comes out of a stream of zlib when the source is fed to it. The source's own failures come through as they are. */
export async function* piped(
  source: AsyncIterable<Uint8Array>,
  stream: Duplex,
  faultOf: (failure: unknown) => unknown = (failure) => failure,
): AsyncGenerator<Uint8Array> {
  let fault: unknown;
  feed(source, stream).catch((failure: unknown) => {
    fault = failure;
    stream.destroy(failure as Error);
  });
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (failure) {
    throw fault ?? faultOf(failure);
  } finally {
    stream.destroy();
  }
}

/** Writes the source to the stream at the stream's pace, until either ends. */
async function feed(
  source: AsyncIterable<Uint8Array>,
  stream: NodeJS.WritableStream & { destroyed: boolean },
): Promise<void> {
  for await (const chunk of source) {
    if (stream.destroyed) return;
    if (!stream.write(chunk)) await drained(stream);
  }
  stream.end();
}

function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      stream.removeListener("drain", settle).removeListener("close", settle).removeListener("error", settle);
      resolve();
    };
    stream.once("drain", settle).once("close", settle).once("error", settle);
  });
}
