import { open } from "node:fs/promises";
import { type ByteRange, parseRange } from "./byte-range.ts";

/** Parts that one request may ask for. */
const MOST = 1024;

/** Bytes read at a time. */
const CHUNK = 256 << 10;

/**
 * The parts that a `Range` header asks for, where it is of several (RFC 9110, section 14.2); `undefined` where it is not, or not to be heeded: parts that
 * overlap, or come in another order than they have, may make a small request a large answer.
 */
export function parseRanges(header: string | null, size: number): readonly ByteRange[] | undefined {
  const texts = /^bytes=(.+,.+)$/.exec(header ?? "")?.[1]?.split(",") ?? [];
  if (texts.length === 0 || texts.length > MOST) return undefined;
  const ranges: ByteRange[] = [];
  for (const text of texts) {
    const range = parseRange(`bytes=${text.trim()}`, size);
    if (range === undefined || range === "unsatisfiable" || range.first <= (ranges.at(-1)?.last ?? -1))
      return undefined;
    ranges.push(range);
  }
  return ranges;
}

/** Answers with several parts of a file, each with its place (RFC 9110, section 14.6). */
export function severalRanges(
  path: string,
  { size, mediaType }: { readonly size: number; readonly mediaType: string },
  ranges: readonly ByteRange[],
  headers: Readonly<Record<string, string>>,
): Response {
  const boundary = crypto.randomUUID();
  const head = ({ first, last }: ByteRange) =>
    `\r\n--${boundary}\r\ncontent-type: ${mediaType}\r\ncontent-range: bytes ${first}-${last}/${size}\r\n\r\n`;
  const { "content-length": _, ...others } = headers;
  // The types lack a body that is iterated over, which Bun's Response takes.
  const body = pieces(path, ranges, head, `\r\n--${boundary}--\r\n`) as unknown as ReadableStream<Uint8Array>;
  return new Response(body, {
    status: 206,
    headers: { ...others, "content-type": `multipart/byteranges; boundary=${boundary}` },
  });
}

async function* pieces(
  path: string,
  ranges: readonly ByteRange[],
  head: (range: ByteRange) => string,
  end: string,
): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    for (const range of ranges) {
      yield Buffer.from(head(range));
      for (let at = range.first; at <= range.last; ) {
        const wanted = Math.min(CHUNK, range.last + 1 - at);
        const { bytesRead, buffer } = await file.read(new Uint8Array(wanted), 0, wanted, at);
        if (bytesRead === 0) throw new Error("the blob is shorter than it was");
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    }
    yield Buffer.from(end);
  } finally {
    await file.close();
  }
}
