import { GalleyError } from "../../../errors.ts";

/** Bytes of one part's header at most. */
const MOST_HEADER = 8 << 10;

/** Bytes that lie somewhere in a blob. */
export interface Placed {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** Where a part begins and ends (exclusive), as its `Content-Range` says: `bytes 0-499/1234` (RFC 9110, section 14.4). */
export function rangeOf(
  header: string | null | undefined,
): { readonly start: number; readonly end: number } | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d+|\*)$/.exec((header ?? "").trim());
  return match === null ? undefined : { start: Number(match[1]), end: Number(match[2]) + 1 };
}

/** Whether an answer has several parts; each then says where it belongs. */
export function isMultipart(contentType: string | null): boolean {
  return /^multipart\/byteranges\s*;/i.test(contentType ?? "");
}

/**
 * Takes a body of several parts (RFC 9110, section 14.6) apart while it arrives. A part says how long it is, so that its content is not
 * searched for what divides the parts. `unavailable` where it is no such body.
 */
export async function* multipart(body: AsyncIterable<Uint8Array>): AsyncGenerator<Placed> {
  let header = Buffer.alloc(0);
  let [position, left] = [0, 0];
  for await (let chunk of body) {
    while (chunk.length > 0) {
      if (left > 0) {
        const bytes = chunk.subarray(0, left);
        yield { position, bytes };
        [position, left, chunk] = [position + bytes.length, left - bytes.length, chunk.subarray(bytes.length)];
        continue;
      }
      header = Buffer.concat([header, chunk]);
      const end = header.indexOf("\r\n\r\n");
      if (end < 0) {
        if (header.length > MOST_HEADER) throw malformed();
        break;
      }
      ({ position, left } = partAfter(header.toString("latin1", 0, end)));
      [chunk, header] = [header.subarray(end + 4), Buffer.alloc(0)];
    }
  }
  if (left > 0 || !/^\r\n--[^\r\n]+--\s*$/.test(header.toString("latin1"))) throw malformed();
}

function partAfter(header: string): { readonly position: number; readonly left: number } {
  const range = rangeOf(/(?:^|\n)content-range:([^\r\n]*)/i.exec(header)?.[1]);
  if (!/^(\r\n)?--/.test(header) || range === undefined || range.end <= range.start) throw malformed();
  return { position: range.start, left: range.end - range.start };
}

function malformed(): GalleyError {
  return new GalleyError("unavailable", "the registry's answer is not of the parts that it was asked for", {
    op: "download",
  });
}
