/** The part of Node's Buffer that the OCI runtime uses. */
import { attempt } from "./system.ts";

export class LeanBuffer extends Uint8Array {
  static alloc(size: number): LeanBuffer {
    return new LeanBuffer(size);
  }

  static byteLength(text: string): number {
    return system.encode(text).byteLength;
  }

  static concat(parts: readonly Uint8Array[]): LeanBuffer {
    const made = new LeanBuffer(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      made.set(part, at);
      at += part.length;
    }
    return made;
  }

  static compare(one: Uint8Array, other: Uint8Array): number {
    for (let at = 0; at < one.length && at < other.length; at += 1) {
      const difference = (one[at] ?? 0) - (other[at] ?? 0);
      if (difference !== 0) return Math.sign(difference);
    }
    return Math.sign(one.length - other.length);
  }

  /** Puts the text's UTF-8 at `offset`; returns its length. */
  write(text: string, offset = 0): number {
    return system.encodeInto(text, this, offset);
  }

  override toString(encoding: "utf8" | "hex" = "utf8"): string {
    return encoding === "hex" ? hexOf(this) : system.decode(this);
  }
}

/** Two digits a byte. */
export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** Buffer.from of texts, buffers and lists of bytes. */
export function bufferFrom(
  source: string | ArrayBuffer | ArrayLike<number>,
  offset?: number,
  length?: number,
): LeanBuffer {
  if (typeof source === "string") return new LeanBuffer(system.encode(source));
  if (source instanceof ArrayBuffer) return new LeanBuffer(source, offset, length);
  const made = new LeanBuffer(source.length);
  made.set(source);
  return made;
}

// A method of the class would have to take what the one that it replaces takes.
Object.defineProperty(LeanBuffer, "from", { value: bufferFrom });

/** Random bytes of the kernel. */
export function randomBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  attempt("getrandom", bytes, size, 0);
  return bytes;
}
