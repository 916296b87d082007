import { readFileSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import type { Accept } from "../../image/copy/copy.ts";
import { canonicalName, parseReference, repositoryOf } from "../../image/reference.ts";
import { nameOfPlace } from "../../image/transports/open-place.ts";
import type { PlaceName } from "../../image/transports/place-name.ts";
import type { LoadedPolicy } from "../../image/trust/policy-file.ts";
import type { Signer } from "../../image/trust/signature.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../usage-error.ts";
import { Answers } from "./ask.ts";
import type { Flags } from "./flags.ts";

/** What the flags say of trust: the policy, and what is asked beyond it. */
export interface Trust {
  readonly policy: LoadedPolicy | undefined;
  readonly signed: boolean;
}

/** The policy of `--policy`, or the one that is in force; none with `--insecure-policy`. */
export async function trustOf(cli: Cli, flags: Flags): Promise<Trust> {
  const signed = flags.truth("require-signed");
  if (flags.truth("insecure-policy")) {
    if (signed) throw new UsageError("--insecure-policy and --require-signed are mutually exclusive", 1, true);
    return { policy: undefined, signed };
  }
  const { loadPolicy } = await import("../../image/trust/policy-file.ts");
  return { policy: loadPolicy(cli.env, flags.text("policy")), signed };
}

/** A copy's question about each image of a place, answered by the policy. */
export async function acceptance({ policy, signed }: Trust, place: PlaceName): Promise<Accept | undefined> {
  if (policy === undefined && !signed) return undefined;
  const { acceptBy, asksForSignatures } = await import("../../image/trust/check.ts");
  if (signed && (policy === undefined || !asksForSignatures(policy, place))) {
    throw new GalleyError(
      "permission_denied",
      `Source image rejected: No signature verification policy found for image ${nameOfPlace(place)}`,
      {
        op: "copy",
        hint: "--require-signed wants a signedBy or sigstoreSigned requirement in the policy",
      },
    );
  }
  return policy === undefined ? undefined : acceptBy(policy, place);
}

/** The name that is signed, where a flag gives it. */
export function signedName(flags: Flags): string | undefined {
  const text = flags.text("sign-identity");
  if (text === undefined) return undefined;
  const reference = parseReference(text);
  if (repositoryOf(reference) !== text.slice(0, repositoryOf(reference).length)) {
    throw new UsageError("Could not parse --sign-identity: repository name must be canonical", 1, true);
  }
  if (reference.tag !== undefined || reference.digest !== undefined) return canonicalName(reference);
  throw new UsageError(`Sign identity must be a fully specified reference ${text}`, 1, true);
}

/** Who signs what is copied, by the flags. */
export async function signersOf(cli: Cli, flags: Flags): Promise<readonly Signer[]> {
  const [gpg, key, parameters, sequoia] = [
    flags.text("sign-by"),
    flags.text("sign-by-sigstore-private-key"),
    flags.text("sign-by-sigstore"),
    flags.text("sign-by-sq-fingerprint"),
  ];
  if (sequoia !== undefined) throw notSupported("sign-by-sq-fingerprint", "sign with --sign-by and a GPG key");
  const file = flags.text("sign-passphrase-file");
  if (file !== undefined && gpg !== undefined && key !== undefined) {
    const names = "--sign-by, --sign-by-sq-fingerprint and --sign-by-sigstore-private-key";
    throw new UsageError(`Only one of ${names} can be used with --sign-passphrase-file`, 1, true);
  }
  const passphrase = file === undefined ? undefined : readPassphrase(file);
  return [
    ...(gpg === undefined ? [] : [await gpgSignerOf(cli, gpg, passphrase)]),
    ...(key === undefined ? [] : [await keySigner(cli, key, passphrase)]),
    ...(parameters === undefined ? [] : [await parameterSigner(cli, parameters)]),
  ];
}

async function gpgSignerOf(cli: Cli, key: string, passphrase: string | undefined): Promise<Signer> {
  const { gpgSigner } = await import("../../image/trust/simple-signing.ts");
  return gpgSigner(key, { passphrase, env: cli.env });
}

async function keySigner(cli: Cli, path: string, given: string | undefined): Promise<Signer> {
  const [{ readSigstoreKey }, { sigstoreSigner }] = await Promise.all([
    import("../../image/trust/sigstore-key.ts"),
    import("../../image/trust/sigstore.ts"),
  ]);
  const text = readText(path);
  const passphrase = given ?? (await new Answers(cli).secret(`Passphrase for key ${path}: `));
  return sigstoreSigner(readSigstoreKey(text, passphrase, path));
}

/** containers-sigstore-signing-params.yaml(5), as far as it is about keys. */
async function parameterSigner(cli: Cli, path: string): Promise<Signer> {
  const values = parameters(path);
  const unknown = Object.keys(values).find((name) => !["privateKeyFile", "privateKeyPassphraseFile"].includes(name));
  if (unknown !== undefined)
    throw notSupported(`sign-by-sigstore (${unknown})`, "only signing by a key's file is there");
  const { privateKeyFile: key, privateKeyPassphraseFile: secret } = values;
  if (typeof key !== "string")
    throw new GalleyError("invalid_argument", "privateKeyFile is missing", { subject: path });
  return keySigner(cli, key, typeof secret === "string" ? readPassphrase(secret) : undefined);
}

function parameters(path: string): Readonly<Record<string, unknown>> {
  try {
    return (Bun.YAML.parse(readText(path)) ?? {}) as Readonly<Record<string, unknown>>;
  } catch (failure) {
    throw toGalleyError(failure, { op: "read", subject: path });
  }
}

function notSupported(flag: string, hint: string): GalleyError {
  return new GalleyError("unimplemented", `--${flag} is not supported`, { op: "create signature", hint });
}

/** The first line of a file. */
export function readPassphrase(path: string): string {
  return readText(path).split("\n", 1)[0] ?? "";
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (failure) {
    throw toGalleyError(failure, { op: "read", subject: path });
  }
}
