import { GalleyError } from "../../errors.ts";

/** What a layer's blob is. Its first bytes decide: media types are at times wrong. */
export type Format = "gzip" | "zstd" | "tar";

/** First bytes that are needed to know it. */
export const HEAD = 6;

/** A format that archives of the past are in, and that layers are not. */
export type OldFormat = "xz" | "bzip2";

/** First bytes of those; `undefined` for any byte. */
const old: readonly (readonly [OldFormat, readonly (number | undefined)[]])[] = [
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68, undefined, 0x31, 0x41]], // Up to the mark of the first block: a tar may begin with a file "BZh".
];

/** The format of what begins so: gzip (RFC 1952), zstd (RFC 8878), or neither. Other compressions are `unimplemented`. */
export function formatOf(head: Uint8Array): Format {
  if (startsWith(head, [0x1f, 0x8b, 8])) return "gzip";
  if (startsWith(head, [0x28, 0xb5, 0x2f, 0xfd])) return "zstd";
  // A skippable frame: 184D2A50 to 184D2A5F, least byte first.
  if (((head[0] ?? 0) & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18])) return "zstd";
  const known = oldFormatOf(head);
  if (known === undefined) return "tar";
  throw new GalleyError("unimplemented", `the layer is compressed with ${known}, which images do not use`, {
    op: "decompress",
    hint: "push it again with gzip or zstd",
  });
}

/** Which of the old formats begins so, if any. */
export function oldFormatOf(head: Uint8Array): OldFormat | undefined {
  return old.find(([, magic]) => startsWith(head, magic))?.[0];
}

function startsWith(bytes: Uint8Array, magic: readonly (number | undefined)[]): boolean {
  return magic.every((byte, index) => byte === undefined || bytes[index] === byte);
}

/** The failure of content that its format's own checks refuse. */
export function damaged(format: Format, cause: unknown): GalleyError {
  return new GalleyError("data_loss", `the layer's ${format} data is damaged`, { op: "decompress", cause });
}
