/** Bytes of standard base64 with its padding; line ends are skipped (RFC 4648 section 4, as Go's `StdEncoding` reads it). `undefined` where it is none. */
export function fromBase64(text: string): Buffer | undefined {
  const plain = text.replace(/[\r\n]/g, "");
  const whole = plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain);
  return whole ? Buffer.from(plain, "base64") : undefined;
}
