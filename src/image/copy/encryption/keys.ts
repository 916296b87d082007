import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { GalleyError } from "../../../errors.ts";

/** Somebody that an image is encrypted for. */
export interface Recipient {
  readonly key: KeyObject;
  /** How the layers' keys are encrypted with it (RFC 7518, section 4.1). */
  readonly algorithm: string;
}

/** Algorithms that containers/ocicrypt takes, and no others. */
export const ALGORITHMS = ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"];

/** Other ways to name a recipient, which need programs or devices of their own. */
const elsewhere = new Set(["pgp", "pkcs7", "pkcs11", "provider"]);

/**
 * A recipient as it is written on a command line: `jwe:FILE` with a public key as PEM, DER or JWK.
 * Errors: `invalid_argument`, `unimplemented` for other protocols of ocicrypt.
 */
export function readRecipient(text: string): Recipient {
  const colon = text.indexOf(":");
  if (colon < 0) throw invalid(text, "Invalid recipient format", "write it as jwe:FILE");
  const protocol = text.slice(0, colon);
  if (elsewhere.has(protocol)) {
    throw new GalleyError("unimplemented", `keys of the protocol ${protocol} are not supported`, {
      op: "encrypt",
      subject: text,
      hint: "use jwe:FILE with a public key",
    });
  }
  if (protocol !== "jwe") throw invalid(text, "Provided protocol not recognized", "write it as jwe:FILE");
  return recipientOf(readKeyFile(text.slice(colon + 1)), text);
}

function recipientOf(bytes: Buffer, text: string): Recipient {
  const jwk = asJwk(bytes);
  const key = firstOf(
    () => createPublicKey({ key: bytes, format: "der", type: "spki" }),
    () => createPublicKey({ key: pemBlock(bytes, "PUBLIC KEY"), format: "pem" }),
    () => createPublicKey({ key: jwk as object, format: "jwk" }),
  );
  if (key === undefined) throw invalid(text, "File provided is not a public key", "give one as PEM, DER or JWK");
  const algorithm = jwk?.alg ?? (key.asymmetricKeyType === "ec" ? "ECDH-ES+A256KW" : "RSA-OAEP");
  if (ALGORITHMS.includes(algorithm)) return { key, algorithm };
  throw invalid(text, `${algorithm} is an unsupported JWE key algorithm`, `use one of ${ALGORITHMS.join(", ")}`);
}

/**
 * A private key as it is written on a command line: `FILE[:PASSWORD]`, the password also as `pass=TEXT`, `file=FILE` or `fd=NUMBER`.
 * Errors: `invalid_argument`.
 */
export function readPrivateKey(text: string): KeyObject {
  const [path = "", ...rest] = text.split(":");
  if (path === "provider") {
    throw new GalleyError("unimplemented", "key providers are not supported", { op: "decrypt", subject: text });
  }
  const password = rest.length === 1 ? readPassword(rest[0] ?? "") : undefined;
  const bytes = readKeyFile(path);
  const locked = /ENCRYPTED/.test(bytes.toString("latin1"));
  if (locked && password === undefined) {
    throw invalid(path, "Missing password for encrypted private key", `write it as ${path}:pass=PASSWORD`);
  }
  const secret = password === undefined ? {} : { passphrase: password };
  const key = firstOf(
    () => createPrivateKey({ key: bytes, format: "der", type: "pkcs8" }),
    () => createPrivateKey({ key: bytes, format: "der", type: "pkcs1" }),
    () => createPrivateKey({ key: bytes, format: "der", type: "sec1" }),
    () => createPrivateKey({ key: bytes, format: "pem", ...secret }),
    () => createPrivateKey({ key: asJwk(bytes) as object, format: "jwk" }),
  );
  if (key !== undefined) return key;
  if (locked) throw invalid(path, "Wrong password: could not decrypt private key", "check the password");
  throw invalid(path, "File provided is not a private key", "give one as PEM, DER or JWK");
}

function readPassword(text: string): Buffer {
  const [, kind, value = ""] = /^(file|pass|fd)=(.*)$/s.exec(text) ?? [];
  if (kind === "file") return readKeyFile(value);
  if (kind === "fd") return readKeyFile(`/proc/self/fd/${value}`);
  return Buffer.from(kind === "pass" ? value : text);
}

function readKeyFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new GalleyError("invalid_argument", "Unable to read file", { op: "read key", subject: path, cause });
  }
}

/** The first block of this kind: a certificate would be taken for a key, too. */
function pemBlock(bytes: Buffer, kind: string): string {
  const text = bytes.toString("latin1");
  return text.includes(`-----BEGIN ${kind}-----`) ? text : "";
}

function asJwk(bytes: Buffer): { readonly alg?: string } | undefined {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function firstOf(...ways: readonly (() => KeyObject)[]): KeyObject | undefined {
  for (const way of ways) {
    try {
      return way();
    } catch {
      // The file may be of another form.
    }
  }
  return undefined;
}

function invalid(subject: string, message: string, hint: string): GalleyError {
  return new GalleyError("invalid_argument", message, { op: "read key", subject, hint });
}
