const encoder = new TextEncoder();

/** Text as the bytes that a step takes. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
