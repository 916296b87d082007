import type { KeyObject } from "node:crypto";
import { refused } from "./refused.ts";
import type { Certificate } from "./x509/certificate.ts";
import { broughtIntermediates, leafOf } from "./x509/certificates.ts";
import { checkChain } from "./x509/chain.ts";
import { derOf } from "./x509/der.ts";
import { extensions as ids } from "./x509/object-ids.ts";

/** Whose certificates of Fulcio's are believed. */
export interface FulcioRoot {
  readonly roots: readonly Certificate[];
  /** Who vouched for the subject. */
  readonly oidcIssuer: string;
  readonly subjectEmail: string;
}

/** Certificates that a signature brings, in PEM. */
export interface Brought {
  readonly certificate: string;
  /** From the certificate's authority up to the root. */
  readonly chain?: string | undefined;
}

/**
 * The key of a certificate that Fulcio gave to this subject, valid at the time at which Rekor logged the signature. As containers/image does it:
 * the log holds the whole certificate already, so the timestamps of certificate transparency in it are not looked at. Throws for any other.
 */
export function keyOfFulcio({ roots, oidcIssuer, subjectEmail }: FulcioRoot, brought: Brought, at: Date): KeyObject {
  const intermediates = broughtIntermediates(brought.chain);
  const leaf = leafOf(brought.certificate);
  checkChain(leaf, { roots, intermediates, at, namesAreRead: true });
  const issuer = issuerOf(leaf);
  if (issuer !== oidcIssuer) throw refused(`Unexpected Fulcio OIDC issuer ${JSON.stringify(issuer)}`);
  checkEmail(leaf, subjectEmail);
  return leaf.x509.publicKey;
}

/** Throws where a certificate is not one of this address, letter by letter. */
export function checkEmail({ names: { emails } }: Certificate, wanted: string): void {
  if (emails.includes(wanted)) return;
  throw refused(`Required email ${JSON.stringify(wanted)} not found (got ${JSON.stringify(emails)})`);
}

/** What the certificate says of who vouched: in one extension or another, or the same in both. */
function issuerOf({ extensions }: Certificate): string {
  const bare = extensions.get(ids.issuer)?.value.toString("utf8");
  const text = textOf(extensions.get(ids.issuerText)?.value);
  const found = bare ?? text;
  if (found === undefined) throw refused("Fulcio certificate is missing the issuer extension");
  if (bare === undefined || text === undefined || bare === text) return found;
  throw refused(`inconsistent OIDC issuer extension values: v1 ${JSON.stringify(bare)}, v2 ${JSON.stringify(text)}`);
}

/** Numbers of types of texts: UTF8String, PrintableString, T61String, IA5String. */
const texts = [0x0c, 0x13, 0x14, 0x16];

function textOf(der: Buffer | undefined): string | undefined {
  if (der === undefined) return undefined;
  const { tag, value } = derOf(der);
  if (tag.isUniversal() && !tag.constructed && texts.includes(tag.number)) return value.toString("utf8");
  throw refused("invalid ASN.1 in OIDC issuer v2 extension");
}
