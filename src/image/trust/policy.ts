import { GalleyError } from "../../errors.ts";
import { isObject, parseStrict, unknownKey } from "./strict-json.ts";

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
  | {
      readonly type: "sigstoreSigned";
      /** Absent where something else is asked for that Galley does not check; then `unsupported` names it. */
      readonly keys?: KeySource;
      readonly rekor?: KeySource;
      readonly unsupported?: string;
      readonly identity: SignedIdentity;
    };

/** Files that hold keys, or the keys themselves. */
export type KeySource = { readonly paths: readonly string[] } | { readonly data: readonly Uint8Array[] };

/** Which names a signature may give the image. */
export type SignedIdentity =
  | { readonly type: "matchExact" | "matchRepoDigestOrExact" | "matchRepository" }
  | { readonly type: "exactReference"; readonly dockerReference: string }
  | { readonly type: "exactRepository"; readonly dockerRepository: string }
  | { readonly type: "remapIdentity"; readonly prefix: string; readonly signedPrefix: string };

type Values = Readonly<Record<string, unknown>>;

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

function scopesOf(transport: string, scopes: Values): Readonly<Record<string, readonly Requirement[]>> {
  const paths = ["dir", "oci", "oci-archive"].includes(transport);
  const wrong = Object.keys(scopes).find((scope) => paths && scope !== "" && !/^(\/[^/]+)+$/.test(scope));
  if (wrong !== undefined) throw new SyntaxError(`Invalid scope ${JSON.stringify(wrong)}: it is no absolute path`);
  return Object.fromEntries(Object.entries(scopes).map(([scope, list]) => [scope, requirements(list)]));
}

function known(value: unknown, keys: readonly string[]): Values {
  const values = record(value);
  const unknown = unknownKey(values, keys);
  if (unknown !== undefined) throw new SyntaxError(`Unknown key ${JSON.stringify(unknown)}`);
  return values;
}

function record(value: unknown): Values {
  if (isObject(value)) return value;
  throw new SyntaxError("expected a JSON object");
}

function requirements(value: unknown): readonly Requirement[] {
  if (!Array.isArray(value)) throw new SyntaxError("requirements must be a list");
  if (value.length === 0) throw new SyntaxError("List of verification policy requirements must not be empty");
  return value.map((one) => requirement(record(one)));
}

function requirement(value: Values): Requirement {
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
      return sigstoreSigned(known(value, ["type", ...sigstoreKeys, ...rekorKeys, "signedIdentity"]));
    default:
      throw new SyntaxError(`Unknown policy requirement type ${JSON.stringify(value.type ?? "")}`);
  }
}

const keyTypes = ["GPGKeys", "signedByGPGKeys", "X509Certificates", "signedByX509CAs"];

function signedBy(value: Values): Requirement {
  const keyType = keyTypes.find((one) => one === value.keyType);
  if (keyType === undefined) throw new SyntaxError(`Unrecognized keyType value ${JSON.stringify(value.keyType ?? "")}`);
  const keys = keySource(value, ["keyPath", "keyPaths", "keyData"], 1);
  if (keys === undefined) throw new SyntaxError("exactly one of keyPath, keyPaths and keyData must be specified");
  return { type: "signedBy", keyType, keys, identity: identityOrDefault(value.signedIdentity) };
}

const sigstoreKeys = ["keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki"];
const rekorKeys = ["rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"];

function sigstoreSigned(value: Values): Requirement {
  if (sigstoreKeys.filter((key) => value[key] !== undefined).length !== 1) {
    throw new SyntaxError(`exactly one of ${sigstoreKeys.join(", ")} must be specified`);
  }
  const common = { type: "sigstoreSigned", identity: identityOrDefault(value.signedIdentity) } as const;
  const unsupported = ["fulcio", "pki"].find((key) => value[key] !== undefined);
  if (unsupported !== undefined) return { ...common, unsupported };
  const keys = keySource(value, ["keyPath", "keyPaths", "keyData", "keyDatas"], 1);
  const rekor = keySource(value, rekorKeys, 0);
  return {
    ...common,
    ...(keys === undefined ? {} : { keys }),
    ...(rekor === undefined ? {} : { unsupported: "rekor", rekor }),
  };
}

/** The keys of a requirement, from the one of these fields that is there. */
function keySource(value: Values, names: readonly string[], least: 0 | 1): KeySource | undefined {
  const given = names.filter((name) => value[name] !== undefined);
  const [name] = given;
  if (given.length > 1 || given.length < least) {
    throw new SyntaxError(`${least === 1 ? "exactly" : "at most"} one of ${names.join(", ")} must be specified`);
  }
  if (name === undefined) return undefined;
  const texts = textsOf(value[name], name);
  return /Paths?$/.test(name) ? { paths: texts } : { data: texts.map((text) => base64(text, name)) };
}

function textsOf(value: unknown, name: string): readonly string[] {
  const list = name.endsWith("s") ? value : [value];
  if (!Array.isArray(list) || !list.every((one) => typeof one === "string" && one !== "")) {
    throw new SyntaxError(`${JSON.stringify(name)} must be ${name.endsWith("s") ? "a list of strings" : "a string"}`);
  }
  if (list.length === 0) throw new SyntaxError(`${JSON.stringify(name)} contains no entries`);
  return list as readonly string[];
}

function base64(text: string, name: string): Uint8Array {
  if (/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) return Buffer.from(text, "base64");
  throw new SyntaxError(`${JSON.stringify(name)} is not base64`);
}

function identityOrDefault(value: unknown): SignedIdentity {
  return value === undefined ? { type: "matchRepoDigestOrExact" } : identity(value);
}

function identity(value: unknown): SignedIdentity {
  const { type } = record(value);
  switch (type) {
    case "matchExact":
    case "matchRepoDigestOrExact":
    case "matchRepository":
      known(value, ["type"]);
      return { type };
    case "exactReference":
      return { type, dockerReference: text(value, "dockerReference") };
    case "exactRepository":
      return { type, dockerRepository: text(value, "dockerRepository") };
    case "remapIdentity":
      known(value, ["type", "prefix", "signedPrefix"]);
      return {
        type,
        prefix: field(record(value).prefix, "prefix"),
        signedPrefix: field(record(value).signedPrefix, "signedPrefix"),
      };
    default:
      throw new SyntaxError(`Unknown policy reference match type ${JSON.stringify(type ?? "")}`);
  }
}

function text(value: unknown, name: string): string {
  return field(known(value, ["type", name])[name], name);
}

function field(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new SyntaxError(`${JSON.stringify(name)} must be a string`);
}
