/**
 * File names as text and back. The kernel's names are bytes; ours are strings, UTF-8 decoded. A byte that is no valid UTF-8 becomes
 * the lone surrogate U+DC00 + byte (as Python's "surrogateescape", PEP 383), so that every name survives the way there and back.
 */
import { errno } from "../errno.ts";
import { SystemError } from "./system-error.ts";

let strict: TextDecoder | undefined;

/** Text of a name or a path that came from the kernel or an archive. */
export function decodeName(bytes: Uint8Array): string {
  strict ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaped(bytes);
  }
}

/** Bytes of a name, without a NUL at the end. Fails with EINVAL on a string that stands for no bytes. */
export function encodeName(name: string): Uint8Array {
  return name.isWellFormed() ? Buffer.from(name) : Uint8Array.from(escapedBytes(name));
}

/**
 * A path as the argument of a C function: the string itself where the binding encodes it right, else its bytes.
 * Fails with EINVAL on a NUL, which would cut the path short.
 */
export function pathArgument(path: string): string | Uint8Array {
  if (path.includes("\0")) throw new SystemError(errno.EINVAL, "path", path.replaceAll("\0", "\\0"));
  return path.isWellFormed() ? path : Uint8Array.from([...escapedBytes(path), 0]);
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = validSequence(bytes, at);
    text += length === 0 ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)) : strictText(bytes.subarray(at, at + length));
    at += length === 0 ? 1 : length;
  }
  return text;
}

function strictText(bytes: Uint8Array): string {
  return (strict as TextDecoder).decode(bytes);
}

/** Length of the UTF-8 sequence at `at`, or 0 where there is none (Unicode 15, table 3-7). */
function validSequence(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (let i = 1; i < length; i++) {
    const low = i > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const high = i > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    const byte = bytes[at + i] ?? 0;
    if (byte < low || byte > high) return 0;
  }
  return length;
}

function* escapedBytes(name: string): Generator<number> {
  for (const character of name) {
    const code = character.charCodeAt(0);
    if (character.length === 1 && code >= 0xdc80 && code <= 0xdcff) yield code - 0xdc00;
    else if (character.isWellFormed()) yield* Buffer.from(character);
    else throw new SystemError(errno.EINVAL, "path", name.toWellFormed());
  }
}
