import type { KeyObject } from "node:crypto";
import { GalleyError } from "../../errors.ts";
import type { FulcioRoot } from "./fulcio.ts";
import { textsOf } from "./key-source.ts";
import type { Claim } from "./payload.ts";
import type { PkiRoot } from "./pki.ts";
import type { KeySource, SigstoreAuthor, SigstoreSigned } from "./policy.ts";
import { publicKeyOf } from "./public-key.ts";
import { refused } from "./refused.ts";
import type { SigstoreSignature } from "./signature.ts";
import { COSIGN_BUNDLE, COSIGN_CERTIFICATE, COSIGN_CHAIN, COSIGN_SIGNATURE } from "./signature.ts";
import { annotation, verifySigstore } from "./sigstore.ts";

/** What of a requirement was read from its files. */
interface Trust {
  readonly author:
    | { readonly keys: readonly KeyObject[] }
    | { readonly fulcio: FulcioRoot }
    | { readonly pki: PkiRoot };
  readonly rekor: readonly KeyObject[] | undefined;
}

/** Reads the keys and certificates that a requirement names; `failed_precondition` where one is none. */
export async function trustOf({ author, rekor }: SigstoreSigned): Promise<Trust> {
  return { author: await authorOf(author), rekor: rekor === undefined ? undefined : rekorKeys(rekor) };
}

async function authorOf(author: SigstoreAuthor): Promise<Trust["author"]> {
  if ("keys" in author) return { keys: keysOf(author.keys) };
  const { certificatesOf, rootsOf } = await import("./x509/certificates.ts");
  const roots = (source: KeySource) => {
    const [found = []] = textsOf(source).map(({ text }) => rootsOf(text));
    if (found.length > 0) return found;
    throw new GalleyError("failed_precondition", "error loading CA certificates: no certificate in PEM is there");
  };
  if ("fulcio" in author) return { fulcio: { ...author.fulcio, roots: roots(author.fulcio.roots) } };
  const { intermediates, ...pki } = author.pki;
  const between = intermediates === undefined ? [] : textsOf(intermediates).flatMap(({ text }) => certificatesOf(text));
  return { pki: { ...pki, roots: roots(pki.roots), intermediates: between } };
}

function keysOf(source: KeySource): readonly KeyObject[] {
  return textsOf(source).map(({ text, from }) => publicKeyOf(text, from));
}

function rekorKeys(source: KeySource): readonly KeyObject[] {
  return keysOf(source).map((key, at) => {
    if (key.asymmetricKeyType === "ec") return key;
    throw new GalleyError("failed_precondition", `Rekor public key ${at + 1} is not using ECDSA`);
  });
}

/** Checks that a signature is by whom a requirement asks for; gives what it says. Throws otherwise. */
export async function claimOf(signature: SigstoreSignature, trust: Trust): Promise<Claim> {
  annotation(signature.annotations, COSIGN_SIGNATURE);
  return verifySigstore(signature, await acceptedKeys(signature, trust));
}

/** The keys of which one must have signed. */
async function acceptedKeys(signature: SigstoreSignature, { author, rekor }: Trust): Promise<readonly KeyObject[]> {
  if ("keys" in author) return rekor === undefined ? author.keys : loggedKey(signature, author.keys, rekor);
  if ("pki" in author) return [(await import("./pki.ts")).keyOfPki(author.pki, broughtBy(signature))];
  const [{ checkLogged }, { keyOfFulcio }] = await Promise.all([import("./rekor.ts"), import("./fulcio.ts")]);
  const promise = annotation(signature.annotations, COSIGN_BUNDLE);
  const brought = broughtBy(signature);
  const at = checkLogged(promise, rekor ?? [], logged(signature, brought.certificate));
  return [keyOfFulcio(author.fulcio, brought, at)];
}

/** The key of several for which Rekor promised to have the signature. */
async function loggedKey(
  signature: SigstoreSignature,
  keys: readonly KeyObject[],
  rekor: readonly KeyObject[],
): Promise<readonly KeyObject[]> {
  const { checkLogged } = await import("./rekor.ts");
  const promise = annotation(signature.annotations, COSIGN_BUNDLE);
  const reasons: string[] = [];
  for (const key of keys) {
    try {
      checkLogged(promise, rekor, logged(signature, String(key.export({ type: "spki", format: "pem" }))));
      return [key];
    } catch (failure) {
      reasons.push((failure as Error).message);
    }
  }
  throw refused(`No public key verified against the RekorSET: ${reasons.join(", ")}`);
}

function logged({ annotations, payload }: SigstoreSignature, signer: string) {
  return { signer, signature: annotation(annotations, COSIGN_SIGNATURE), payload };
}

function broughtBy({ annotations }: SigstoreSignature) {
  return { certificate: annotation(annotations, COSIGN_CERTIFICATE), chain: annotations[COSIGN_CHAIN] };
}
