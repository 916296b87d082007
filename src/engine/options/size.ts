import { invalidOption } from "./invalid.ts";

const powers: Readonly<Record<string, number>> = { "": 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Bytes from `65536`, `512k`, `1.5g`, `2GiB`: binary multiples whatever the spelling, as docker reads sizes.
 * Throws `invalid_argument`.
 */
export function parseByteSize(text: string): number {
  const match = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) throw invalidOption(`invalid size: '${text}'`, "write a number with k, m or g, as in 64m");
  const bytes = Math.trunc(Number(match[1]) * 1024 ** (powers[(match[2] ?? "").toLowerCase()] ?? 0));
  if (!Number.isSafeInteger(bytes)) throw invalidOption(`the size is out of range: '${text}'`);
  return bytes;
}
