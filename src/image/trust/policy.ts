import { GalleyError } from "../../errors.ts";
import type { JsonObject } from "../json-object.ts";
import { keySource, known, record } from "./policy-fields.ts";
import { identity, identityOrDefault } from "./policy-identity.ts";
import { sigstoreSigned } from "./policy-sigstore.ts";
import { parseStrict } from "./strict-json.ts";

/** containers-policy.json(5): what is asked of images before they are used. */
export interface Policy {
  readonly default: readonly Requirement[];
  /** By transport, and then by scope; the empty scope is the transport's own default. */
  readonly transports: Readonly<Record<string, Readonly<Record<string, readonly Requirement[]>>>>;
}

/** One thing that is asked; all of a list must hold. */
export type Requirement =
  | { readonly type: "insecureAcceptAnything" }
  | { readonly type: "reject" }
  | { readonly type: "signedBy"; readonly keyType: string; readonly keys: KeySource; readonly identity: SignedIdentity }
  | { readonly type: "signedBaseLayer" }
  | SigstoreSigned;

/** A signature of sigstore's, by someone in particular. */
export interface SigstoreSigned {
  readonly type: "sigstoreSigned";
  readonly author: SigstoreAuthor;
  /** Keys of Rekor's, where the signature has to be in its log. */
  readonly rekor?: KeySource;
  readonly identity: SignedIdentity;
}

/** Who must have signed: one of these keys, someone to whom Fulcio gave a certificate, or someone with a certificate of another authority. */
export type SigstoreAuthor =
  | { readonly keys: KeySource }
  | {
      readonly fulcio: { readonly roots: KeySource; readonly oidcIssuer: string; readonly subjectEmail: string };
    }
  | {
      readonly pki: {
        readonly roots: KeySource;
        readonly intermediates?: KeySource;
        /** At least one of these. */
        readonly subjectEmail?: string;
        readonly subjectHostname?: string;
      };
    };

/** Files that hold keys, or the keys themselves. */
export type KeySource = { readonly paths: readonly string[] } | { readonly data: readonly Uint8Array[] };

/** Which names a signature may give the image. */
export type SignedIdentity =
  | { readonly type: "matchExact" | "matchRepoDigestOrExact" | "matchRepository" }
  | { readonly type: "exactReference"; readonly dockerReference: string }
  | { readonly type: "exactRepository"; readonly dockerRepository: string }
  | { readonly type: "remapIdentity"; readonly prefix: string; readonly signedPrefix: string };

/** Reads a policy. A key that is unknown, or there twice, is an error: what was misspelled would not be asked. */
export function parsePolicy(text: string, file: string): Policy {
  try {
    const top = known(parseStrict(text), ["default", "transports"]);
    if (top.default === undefined) throw new SyntaxError("Default policy is missing");
    const transports = Object.entries(record(top.transports ?? {})).map(
      ([transport, scopes]) => [transport, scopesOf(transport, record(scopes))] as const,
    );
    return { default: requirements(top.default), transports: Object.fromEntries(transports) };
  } catch (failure) {
    if (!(failure instanceof SyntaxError)) throw failure;
    throw new GalleyError("failed_precondition", `invalid policy in ${JSON.stringify(file)}: ${failure.message}`, {
      op: "load trust policy",
      hint: "containers-policy.json(5) has the format",
    });
  }
}

function scopesOf(transport: string, scopes: JsonObject): Readonly<Record<string, readonly Requirement[]>> {
  const paths = ["dir", "oci", "oci-archive"].includes(transport);
  const wrong = Object.keys(scopes).find((scope) => paths && scope !== "" && !/^(\/[^/]+)+$/.test(scope));
  if (wrong !== undefined) throw new SyntaxError(`Invalid scope ${JSON.stringify(wrong)}: it is no absolute path`);
  return Object.fromEntries(Object.entries(scopes).map(([scope, list]) => [scope, requirements(list)]));
}

function requirements(value: unknown): readonly Requirement[] {
  if (!Array.isArray(value)) throw new SyntaxError("requirements must be a list");
  if (value.length === 0) throw new SyntaxError("List of verification policy requirements must not be empty");
  return value.map((one) => requirement(record(one)));
}

function requirement(value: JsonObject): Requirement {
  switch (value.type) {
    case "insecureAcceptAnything":
    case "reject":
      known(value, ["type"]);
      return { type: value.type };
    case "signedBy":
      return signedBy(known(value, ["type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"]));
    case "signedBaseLayer":
      identity(known(value, ["type", "baseLayerIdentity"]).baseLayerIdentity);
      return { type: "signedBaseLayer" };
    case "sigstoreSigned":
      return sigstoreSigned(value);
    default:
      throw new SyntaxError(`Unknown policy requirement type ${JSON.stringify(value.type ?? "")}`);
  }
}

const keyTypes = ["GPGKeys", "signedByGPGKeys", "X509Certificates", "signedByX509CAs"];

function signedBy(value: JsonObject): Requirement {
  const keyType = keyTypes.find((one) => one === value.keyType);
  if (keyType === undefined) throw new SyntaxError(`Unrecognized keyType value ${JSON.stringify(value.keyType ?? "")}`);
  const keys = keySource(value, ["keyPath", "keyPaths", "keyData"], 1);
  if (keys === undefined) throw new SyntaxError("exactly one of keyPath, keyPaths and keyData must be specified");
  return { type: "signedBy", keyType, keys, identity: identityOrDefault(value.signedIdentity) };
}
