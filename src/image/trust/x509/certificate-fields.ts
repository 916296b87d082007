import type { ASN1Obj } from "@sigstore/core";
import { derOf } from "./der.ts";

/**
 * The fields of a certificate in DER (RFC 5280 section 4.1): from the serial number on, over algorithm, issuer, validity and subject; and the version
 * before them, which those of version 1 leave out.
 */
export function certificateFields(der: Buffer): {
  readonly version: ASN1Obj | undefined;
  readonly fields: readonly ASN1Obj[];
} {
  const [first, ...others] = derOf(der).subs[0]?.subs ?? [];
  if (first === undefined) return { version: undefined, fields: [] };
  const hasVersion = first.tag.isContextSpecific(0);
  return hasVersion ? { version: first, fields: others } : { version: undefined, fields: [first, ...others] };
}
