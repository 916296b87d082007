import type { JsonObject } from "../json-object.ts";
import type { KeySource, SigstoreAuthor, SigstoreSigned } from "./policy.ts";
import { field, keySource, known } from "./policy-fields.ts";
import { identityOrDefault } from "./policy-identity.ts";

const keys = ["keyPath", "keyPaths", "keyData", "keyDatas"];
const authors = [...keys, "fulcio", "pki"];
const rekorKeys = ["rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"];

/** Reads a requirement of sigstore's signatures (containers-policy.json(5), "sigstoreSigned"). */
export function sigstoreSigned(given: JsonObject): SigstoreSigned {
  const value = known(given, ["type", ...authors, ...rekorKeys, "signedIdentity"]);
  if (authors.filter((key) => value[key] !== undefined).length !== 1) {
    throw new SyntaxError("exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio, and pki must be specified");
  }
  const rekor = keySource(value, rekorKeys, 0);
  if (value.fulcio !== undefined && rekor === undefined) {
    throw new SyntaxError(`At least one of ${rekorKeys.join(", ")} must be specified if fulcio is used`);
  }
  if (value.pki !== undefined && rekor !== undefined) {
    throw new SyntaxError(`${rekorKeys.join(", ")} are not supported for pki`);
  }
  const identity = identityOrDefault(value.signedIdentity);
  return { type: "sigstoreSigned", author: authorOf(value), identity, ...(rekor === undefined ? {} : { rekor }) };
}

function authorOf(value: JsonObject): SigstoreAuthor {
  if (value.fulcio !== undefined) return { fulcio: fulcio(value.fulcio) };
  if (value.pki !== undefined) return { pki: pki(value.pki) };
  return { keys: one(value, keys) };
}

function fulcio(given: unknown): Extract<SigstoreAuthor, { readonly fulcio: unknown }>["fulcio"] {
  const value = known(given, ["caPath", "caData", "oidcIssuer", "subjectEmail"]);
  return {
    roots: one(value, ["caPath", "caData"]),
    oidcIssuer: field(value.oidcIssuer, "oidcIssuer"),
    subjectEmail: field(value.subjectEmail, "subjectEmail"),
  };
}

const subjects = ["subjectEmail", "subjectHostname"] as const;

function pki(given: unknown): Extract<SigstoreAuthor, { readonly pki: unknown }>["pki"] {
  const between = ["caIntermediatesPath", "caIntermediatesData"];
  const value = known(given, ["caRootsPath", "caRootsData", ...between, ...subjects]);
  const named = subjects.filter((name) => value[name] !== undefined);
  if (named.length === 0) throw new SyntaxError("At least one of subjectEmail, subjectHostname must be specified");
  const intermediates = keySource(value, between, 0);
  return {
    roots: one(value, ["caRootsPath", "caRootsData"]),
    ...(intermediates === undefined ? {} : { intermediates }),
    ...Object.fromEntries(named.map((name) => [name, field(value[name], name)])),
  };
}

/** The one of these fields that must be there. */
function one(value: JsonObject, names: readonly string[]): KeySource {
  const source = keySource(value, names, 1);
  if (source === undefined) throw new SyntaxError(`exactly one of ${names.join(", ")} must be specified`);
  return source;
}
