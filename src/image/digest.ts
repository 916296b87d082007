import { GalleyError } from "../errors.ts";

/** Hash algorithms of image-spec descriptor.md that content is accepted in, with the number of hexadecimal digits. */
const digitsOf = { sha256: 64, sha512: 128 } as const;

export type DigestAlgorithm = keyof typeof digitsOf;

export interface ParsedDigest {
  readonly algorithm: DigestAlgorithm;
  /** Lower-case hexadecimal digits. */
  readonly hex: string;
}

/** Takes `algorithm:hex` apart, or gives `undefined` where it is not one that content is accepted in. */
export function tryParseDigest(text: string): ParsedDigest | undefined {
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, colon);
  const hex = text.slice(colon + 1);
  if (!isAlgorithm(algorithm) || hex.length !== digitsOf[algorithm] || !/^[0-9a-f]+$/.test(hex)) return undefined;
  return { algorithm, hex };
}

/** Takes `algorithm:hex` apart; anything else is `invalid_argument`, in docker's words. */
export function parseDigest(text: string): ParsedDigest {
  const digest = tryParseDigest(text);
  if (digest !== undefined) return digest;
  throw new GalleyError("invalid_argument", faultOf(text), { op: "parse digest", subject: text });
}

function faultOf(text: string): string {
  const match = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/i.exec(text);
  if (match === null) return "invalid checksum digest format";
  const algorithm = match[1] ?? "";
  if (!isAlgorithm(algorithm)) return "unsupported digest algorithm";
  return match[2]?.length === digitsOf[algorithm] ? "invalid checksum digest format" : "invalid checksum digest length";
}

function isAlgorithm(text: string): text is DigestAlgorithm {
  return Object.hasOwn(digitsOf, text);
}

/** The digest of bytes that are in memory. */
export function digestOf(content: string | Uint8Array, algorithm: DigestAlgorithm = "sha256"): string {
  return `${algorithm}:${new Bun.CryptoHasher(algorithm).update(content).digest("hex")}`;
}

/** The first 12 digits, which is how people see an ID. */
export function shortDigest(digest: string): string {
  const colon = digest.indexOf(":");
  return digest.slice(colon + 1, colon + 13);
}
