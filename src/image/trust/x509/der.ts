import { ASN1Obj } from "@sigstore/core";

/** The structure that bytes hold, which it must fill. */
export function derOf(bytes: Buffer): ASN1Obj {
  const value = ASN1Obj.parseBuffer(Buffer.from(bytes));
  const lengthByte = bytes[1] ?? 0;
  const header = 2 + (lengthByte < 0x80 ? 0 : lengthByte & 0x7f);
  if (header + value.value.length !== bytes.length) throw malformed("trailing data");
  return value;
}

/** The parts of a SEQUENCE that fills its bytes. */
export function sequenceOf(bytes: Buffer): readonly ASN1Obj[] {
  const { tag, subs } = derOf(bytes);
  if (!tag.isUniversal() || tag.number !== 0x10 || !tag.constructed) throw malformed("no sequence");
  return subs;
}

/** An object identifier, as {@link ./object-ids.ts} writes them. */
export function idOf(value: ASN1Obj | undefined): string {
  value?.toOID(); // Throws for anything else.
  if (value === undefined) throw malformed("no identifier");
  return value.value.toString("hex");
}

/** An IA5String. Letters beyond ASCII are refused, so that none is taken for another. */
export function asciiOf(bytes: Buffer): string {
  if (bytes.some((byte) => byte > 0x7f)) throw malformed("name that is not ASCII");
  return bytes.toString("latin1");
}

/** What is thrown for a certificate that does not keep to RFC 5280. */
export function malformed(what: string): Error {
  return new Error(`x509: malformed certificate: ${what}`);
}
