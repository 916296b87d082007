import { createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { GalleyError } from "../../../errors.ts";
import { jsonObject } from "../../json-object.ts";

/** The content of a file with a key, a certificate or a password; `invalid_argument` where it cannot be read. */
export function readKeyFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new GalleyError("invalid_argument", "Unable to read file", { op: "read key", subject: path, cause });
  }
}

/** Content that is a JSON Web Key, perhaps; `undefined` for what is no JSON object. */
export function asJwk(bytes: Buffer): { readonly alg?: string } | undefined {
  return jsonObject(bytes);
}

/** The first that does not fail: a file may be of several forms. */
export function firstOf(...ways: readonly (() => KeyObject)[]): KeyObject | undefined {
  for (const way of ways) {
    try {
      return way();
    } catch {
      // The file may be of another form.
    }
  }
  return undefined;
}

/** The public key that a file has in PEM or DER; `undefined` for other content. */
export function publicKeyIn(bytes: Buffer): KeyObject | undefined {
  return firstOf(
    () => createPublicKey({ key: bytes, format: "der", type: "spki" }),
    () => createPublicKey({ key: pemBlock(bytes, "PUBLIC KEY"), format: "pem" }),
  );
}

/** A certificate would be taken for a key, too. */
function pemBlock(bytes: Buffer, kind: string): string {
  const text = bytes.toString("latin1");
  return text.includes(`-----BEGIN ${kind}-----`) ? text : "";
}

/** Whether content is ocicrypt's YAML that names a key in a PKCS #11 token. */
export function isTokenFile(bytes: Buffer): boolean {
  return /^pkcs11:/m.test(bytes.toString("latin1"));
}

/** What is said of a key that is of no use. */
export function invalidKey(subject: string, message: string, hint: string): GalleyError {
  return new GalleyError("invalid_argument", message, { op: "read key", subject, hint });
}
