/** Positions of the first and the last byte. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The part of `size` bytes that a `Range` header asks for (RFC 9110 section 14.2). `undefined`: all of it, which is also what a
 * header gets that asks for several parts or cannot be read.
 */
export function parseRange(header: string | null, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? "");
  const [, from = "", to = ""] = match ?? [];
  if (from === "" && to === "") return undefined;
  const range = from === "" ? { first: Math.max(0, size - Number(to)), last: size - 1 } : bounded(from, to, size);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  return range.first > range.last ? "unsatisfiable" : range;
}

function bounded(from: string, to: string, size: number): ByteRange {
  return { first: Number(from), last: to === "" ? size - 1 : Math.min(Number(to), size - 1) };
}

/** The position at which a pushed chunk begins (`Content-Range: 0-99` in distribution-spec, `bytes 0-99/*` in HTTP), and its last byte. */
export function parseChunkRange(header: string): ByteRange | undefined {
  const match = /^(?:bytes )?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(header.trim());
  return match === null ? undefined : { first: Number(match[1]), last: Number(match[2]) };
}
