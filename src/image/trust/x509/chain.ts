import type { Certificate } from "./certificate.ts";
import { checkNames, type NameConstraints } from "./name-constraints.ts";
import { extensions as ids, signatureAlgorithms, usages } from "./object-ids.ts";

/** What certificates are believed by. */
export interface Anchors {
  readonly roots: readonly Certificate[];
  /** Certificates that may stand between; they need not be trusted. */
  readonly intermediates: readonly Certificate[];
  /** When all of a chain must be valid. */
  readonly at: Date;
  /** Whether someone else reads the subject's names, so that nobody here has to understand them. */
  readonly namesAreRead: boolean;
}

/** Signatures that are checked for one certificate: names can be made to lead nearly everywhere. */
const MAX_CHECKS = 100;

/**
 * Checks that a certificate for signing code is one of a root's (RFC 5280 section 6; as Go's `crypto/x509` does it, which skopeo and podman use:
 * extended key usages hold for all of a chain, keys' lengths and algorithms of old are refused, revocation is not looked at).
 * Throws the last reason where no chain is whole.
 */
export function checkChain(leaf: Certificate, anchors: Anchors): void {
  const failure = attempt(() => checkAlone(leaf, anchors, anchors.namesAreRead)) ?? reach(leaf, anchors);
  if (failure !== undefined) throw new Error(`verifying leaf certificate failed: ${failure.message}`);
}

function reach(leaf: Certificate, anchors: Anchors): Error | undefined {
  const trusted = anchors.roots.some((root) => root.x509.raw.equals(leaf.x509.raw));
  return trusted ? undefined : climb([leaf], anchors, { left: MAX_CHECKS });
}

/** Goes from the last of a chain to the roots; `undefined` where one is reached, else why none is. */
function climb(chain: readonly Certificate[], anchors: Anchors, checks: { left: number }): Error | undefined {
  const child = chain.at(-1) as Certificate;
  let failure: Error | undefined;
  const parents = [
    ...anchors.roots.map((parent) => ({ parent, root: true })),
    ...anchors.intermediates.map((parent) => ({ parent, root: false })),
  ].filter(({ parent }) => parent.subject.equals(child.issuer) && !isAmong(parent, chain));
  for (const { parent, root } of parents) {
    if (checks.left-- <= 0) return new Error("x509: signature check attempts limit reached");
    const wrong = attempt(() => checkParent(parent, root, chain, anchors));
    const above = wrong ?? (root ? undefined : climb([...chain, parent], anchors, checks));
    if (above === undefined) return undefined;
    failure = above;
  }
  return failure ?? new Error("x509: certificate signed by unknown authority");
}

function attempt(check: () => void): Error | undefined {
  try {
    check();
    return undefined;
  } catch (failure) {
    return failure as Error;
  }
}

/** The same subject with the same key: to go there again leads nowhere new. */
function isAmong(candidate: Certificate, chain: readonly Certificate[]): boolean {
  const names = ({ extensions }: Certificate) => extensions.get(ids.subjectAltName)?.value.toString("hex");
  return chain.some(
    (one) =>
      one.subject.equals(candidate.subject) &&
      one.x509.publicKey.equals(candidate.x509.publicKey) &&
      names(one) === names(candidate),
  );
}

function checkParent(parent: Certificate, root: boolean, chain: readonly Certificate[], anchors: Anchors): void {
  const child = chain.at(-1) as Certificate;
  checkSignature(child, parent);
  checkAlone(parent, anchors, false);
  const { basic } = parent;
  if (!root && basic?.authority !== true) throw notAuthorized();
  if (basic?.pathLength !== undefined && chain.length - 1 > basic.pathLength) {
    throw new Error("x509: too many intermediates for path length constraint");
  }
  for (const named of parent.constraints === undefined ? [] : [chain[0] as Certificate, parent]) {
    checkNames(parent.constraints as NameConstraints, named.names);
  }
}

function checkSignature(child: Certificate, parent: Certificate): void {
  const { version, basic, signsCertificates, x509 } = parent;
  const authority = basic?.authority ?? version < 3;
  if (!authority || signsCertificates === false) throw notAuthorized();
  if (!signatureAlgorithms.includes(child.algorithm)) throw new Error("x509: cannot verify signature: algorithm");
  if ((x509.publicKey.asymmetricKeyDetails?.modulusLength ?? 1024) < 1024) throw new Error("x509: RSA key too short");
  if (!child.x509.verify(x509.publicKey)) throw new Error("x509: certificate signed by unknown authority");
}

function notAuthorized(): Error {
  return new Error("x509: certificate is not authorized to sign other certificates");
}

/** What each certificate of a chain has to keep to, wherever it stands. */
function checkAlone(one: Certificate, { at }: Anchors, namesAreRead: boolean): void {
  const unknown = [...one.extensions].some(([id, { critical }]) => critical && !understood(one, id, namesAreRead));
  if (unknown) throw new Error("x509: unhandled critical extension");
  const [from, to] = [one.x509.validFromDate, one.x509.validToDate];
  if (!(from <= at && at <= to)) {
    if (Number.isNaN(at.getTime())) throw new Error("x509: no time at which it could be valid");
    const [side, limit] = at < from ? ["before", from] : ["after", to];
    const times = `current time ${at.toISOString()} is ${side} ${limit.toISOString()}`;
    throw new Error(`x509: certificate has expired or is not yet valid: ${times}`);
  }
  const fits = one.usages.some((usage) => usage === usages.any || usage === usages.codeSigning);
  if (one.usages.length > 0 && !fits) throw new Error("x509: certificate specifies an incompatible key usage");
}

function understood({ names, constraints }: Certificate, id: string, namesAreRead: boolean): boolean {
  if (id === ids.subjectAltName) return namesAreRead || Object.values(names).some(({ length }) => length > 0);
  if (id === ids.nameConstraints) return constraints?.understood === true;
  const critical: readonly string[] = [
    ...[ids.keyUsage, ids.basicConstraints, ids.extendedKeyUsage, ids.crlDistributionPoints],
    ...[ids.certificatePolicies, ids.policyMappings, ids.policyConstraints, ids.inhibitAnyPolicy],
  ];
  return critical.includes(id);
}
