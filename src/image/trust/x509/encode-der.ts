/** Tags of what is written (X.690, section 8.1.2). */
export const tags = { integer: 0x02, bytes: 0x04, id: 0x06, sequence: 0x30, set: 0x31 } as const;

/** A SEQUENCE of these parts. */
export function sequence(...parts: readonly Buffer[]): Buffer {
  return encoded(tags.sequence, ...parts);
}

/** An INTEGER from 0 to 127. */
export function integer(value: number): Buffer {
  return encoded(tags.integer, Buffer.of(value));
}

/** An OBJECT IDENTIFIER, written as {@link ./object-ids.ts} has them. */
export function id(hex: string): Buffer {
  return encoded(tags.id, Buffer.from(hex, "hex"));
}

/** Tag, length and content in DER (X.690, section 8.1). */
export function encoded(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, ...lengthOf(content.length)), content]);
}

/** The length in one byte, or behind a byte that says how many it takes. */
function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes = Buffer.from(length.toString(16).padStart(8, "0"), "hex");
  const shortest = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  return [0x80 | shortest.length, ...shortest];
}
