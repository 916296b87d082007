import { isIP } from "node:net";
import type { ASN1Obj } from "@sigstore/core";
import { malformed, sequenceOf } from "./der.ts";
import { kinds, type Names, namesOf } from "./names.ts";

/** Names for which an authority may speak, or may not (RFC 5280 section 4.2.1.10). */
export interface NameConstraints {
  readonly permitted: Names;
  readonly excluded: Names;
  /** Whether nothing but kinds of names that are read is constrained. */
  readonly understood: boolean;
}

/** Reads the extension's value. */
export function nameConstraintsOf(value: Buffer): NameConstraints {
  const trees = sequenceOf(value);
  if (trees.length === 0) throw malformed("empty name constraints");
  const bases = (kind: number) =>
    trees.filter(({ tag }) => tag.isContextSpecific(kind)).flatMap(({ subs }) => subs.map(({ subs: [base] }) => base));
  const [permitted, excluded] = [bases(0), bases(1)].map((list) => list.filter((base) => base !== undefined)) as [
    ASN1Obj[],
    ASN1Obj[],
  ];
  const known = Object.values(kinds);
  return {
    permitted: namesOf(permitted, [8, 32]),
    excluded: namesOf(excluded, [8, 32]),
    understood: [...permitted, ...excluded].every(({ tag }) => known.some((kind) => tag.isContextSpecific(kind))),
  };
}

/** Throws where a certificate has a name for which the authority may not speak. */
export function checkNames({ permitted, excluded }: NameConstraints, names: Names): void {
  const check = <T>(name: T, text: string, allowed: readonly T[], denied: readonly T[], fits: Fits<T>) => {
    const inside = allowed.length === 0 || allowed.some((tree) => fits(name, tree, false));
    if (inside && !denied.some((tree) => fits(name, tree, true))) return;
    throw new Error(`x509: a root or intermediate certificate is not authorized to sign for this name: ${text}`);
  };
  // A name of which nobody knows where it lies is refused, though nothing constrains its kind.
  for (const name of names.emails) emailFits(name, "");
  for (const name of names.hosts) domainFits(name, "");
  for (const name of names.emails) check(name, name, permitted.emails, excluded.emails, emailFits);
  for (const name of names.hosts) check(name, name, permitted.hosts, excluded.hosts, hostFits);
  for (const name of names.uris) check(name, name, permitted.uris, excluded.uris, uriFits);
  for (const name of names.addresses) {
    check(name, name.toString("hex"), permitted.addresses, excluded.addresses, addressFits);
  }
}

/** Whether a name lies in a tree of names; where it is to be kept out, also whether some of what it stands for does. */
type Fits<T> = (name: T, tree: T, some: boolean) => boolean;

function emailFits(name: string, tree: string): boolean {
  // Quoted local parts are not told from others by everybody.
  const [, local, domain] = /^([^"\\@\s]+)@([^@\s]+)$/.exec(name) ?? [];
  if (local === undefined || domain === undefined) throw new Error(`x509: cannot parse rfc822Name ${name}`);
  const at = tree.lastIndexOf("@");
  if (at < 0) return domainFits(domain, tree);
  return tree.slice(0, at) === local && tree.slice(at + 1).toLowerCase() === domain.toLowerCase();
}

function hostFits(name: string, tree: string, some: boolean): boolean {
  if (domainFits(name, tree)) return true;
  // `*.example.com` stands for `a.example.com` too.
  return some && name.startsWith("*.") && domainFits(tree.replace(/^\./, ""), name.slice(1));
}

function uriFits(name: string, tree: string): boolean {
  const host = URL.parse(name)?.hostname ?? "";
  if (host === "" || host.startsWith("[") || isIP(host) !== 0) {
    throw new Error(`x509: URI ${name} has no host that could be matched against constraints`);
  }
  return domainFits(host, tree);
}

/** A leading dot asks for at least one label more; nothing stands for everything. */
function domainFits(domain: string, tree: string): boolean {
  const labels = labelsOf(domain);
  if (tree === "") return true;
  const wanted = labelsOf(tree.replace(/^\./, ""));
  if (labels.length < wanted.length || (tree.startsWith(".") && labels.length === wanted.length)) return false;
  return wanted.every((label, at) => label === labels[at]);
}

/** Labels of a domain from the top down, in small letters. */
function labelsOf(domain: string): readonly string[] {
  const labels = domain.toLowerCase().split(".").reverse();
  if (labels.every((label) => /^[!-~]+$/.test(label))) return labels;
  throw new Error(`x509: cannot parse domain ${domain}`);
}

function addressFits(address: Buffer, tree: Buffer): boolean {
  const mask = tree.subarray(address.length);
  if (tree.length !== 2 * address.length) return false;
  return address.every((byte, at) => ((byte ^ (tree[at] ?? 0)) & (mask[at] ?? 0)) === 0);
}
