import type { ASN1Obj } from "@sigstore/core";
import { asciiOf, malformed } from "./der.ts";

/** Names of a certificate's subject that stand in an extension of their own (RFC 5280 section 4.2.1.6). */
export interface Names {
  readonly emails: readonly string[];
  readonly hosts: readonly string[];
  readonly uris: readonly string[];
  /** Of IPv4 or IPv6. */
  readonly addresses: readonly Buffer[];
}

/** Numbers of the kinds of names that are read, of those of GeneralName. */
export const kinds = { email: 1, host: 2, uri: 6, address: 7 } as const;

/**
 * Reads a list of names; those of other kinds are left out.
 * @param lengths bytes that an address may have
 */
export function namesOf(list: readonly ASN1Obj[], lengths: readonly number[] = [4, 16]): Names {
  const of = (kind: number) =>
    list.filter(({ tag }) => tag.isContextSpecific(kind) && !tag.constructed).map(({ value }) => value);
  const addresses = of(kinds.address);
  if (addresses.some(({ length }) => !lengths.includes(length))) throw malformed("IP address");
  return {
    emails: of(kinds.email).map(asciiOf),
    hosts: of(kinds.host).map(asciiOf),
    uris: of(kinds.uri).map(asciiOf),
    addresses,
  };
}
