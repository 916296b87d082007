import type { KeyObject } from "node:crypto";
import { type Brought, checkEmail } from "./fulcio.ts";
import { refused } from "./refused.ts";
import type { Certificate } from "./x509/certificate.ts";
import { broughtIntermediates, leafOf } from "./x509/certificates.ts";
import { checkChain } from "./x509/chain.ts";
import { isNamed } from "./x509/host-name.ts";

/** Whose certificates are believed, of authorities of one's own. */
export interface PkiRoot {
  readonly roots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  /** At least one of these. */
  readonly subjectEmail?: string | undefined;
  readonly subjectHostname?: string | undefined;
}

/** The key of a certificate for signing code that is of this subject and valid now. Throws for any other. */
export function keyOfPki(root: PkiRoot, brought: Brought, now = new Date()): KeyObject {
  const intermediates = [...root.intermediates, ...broughtIntermediates(brought.chain)];
  const leaf = leafOf(brought.certificate);
  checkChain(leaf, { roots: root.roots, intermediates, at: now, namesAreRead: false });
  if (root.subjectEmail !== undefined) checkEmail(leaf, root.subjectEmail);
  if (root.subjectHostname !== undefined && !isNamed(leaf.names, root.subjectHostname)) {
    const { hosts } = leaf.names;
    const [got, wanted] = [hosts.length === 0 ? "any names" : hosts.join(", "), root.subjectHostname];
    const why = `x509: certificate is ${hosts.length === 0 ? "not " : ""}valid for ${got}, not ${wanted}`;
    throw refused(`Unexpected subject hostname: ${why}`);
  }
  return leaf.x509.publicKey;
}
