/** Fields of a header block: text and numbers (POSIX.1-2024 pax, "ustar Interchange Format"; GNU tar manual, "Standard Format"). */
import { decodeName } from "../../../linux/sys/sys.ts";

export const BLOCK = 512;

/** Text up to the first NUL or the field's end. */
export function textField(block: Buffer, start: number, length: number): string {
  let ascii = 0;
  let end = start;
  for (; end < start + length; end++) {
    const byte = block[end] ?? 0;
    if (byte === 0) break;
    ascii |= byte;
  }
  return ascii < 0x80 ? block.toString("latin1", start, end) : decodeName(block.subarray(start, end));
}

/**
 * A number: octal digits between spaces and NULs, or GNU's base-256 where the first bit is set. An empty field is 0. `undefined`
 * for anything else, and beyond what a number holds exactly.
 */
export function numberField(block: Uint8Array, start: number, length: number): number | undefined {
  if (((block[start] ?? 0) & 0x80) !== 0) return base256(block, start, length);
  const end = start + length;
  let at = start;
  while (at < end && isBlank(block[at])) at++;
  let value = 0;
  for (; at < end && !isBlank(block[at]); at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  for (; at < end; at++) if (!isBlank(block[at])) return undefined;
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}

/** Two's complement, most significant byte first, less the flag bit; the next bit is the sign. */
function base256(block: Uint8Array, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = negative ? (first | 0xffffff00) >> 0 : first & 0x7f;
  for (let at = start + 1; at < start + length; at++) {
    value = value * 256 + (block[at] ?? 0);
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return value;
}

/** Whether the block's checksum is right, taken over unsigned bytes as POSIX says, or signed ones as some old programs did. */
export function checksumHolds(block: Uint8Array): boolean {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let at = 0; at < BLOCK; at++) {
    if (at === 148) at += 8;
    const byte = block[at] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  const stored = numberField(block, 148, 8);
  return stored === unsigned || stored === unsigned - 256 * high;
}

/** Whether all of it is zeros: half of an archive's end. */
export function isZero(block: Uint8Array): boolean {
  for (let at = 0; at < BLOCK; at++) if (block[at] !== 0) return false;
  return true;
}
