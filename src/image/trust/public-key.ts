import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { GalleyError } from "../../errors.ts";

/** Kinds of keys whose signatures are checked. */
const kinds: readonly (string | undefined)[] = ["rsa", "ec", "ed25519"];

/** A public key in PEM; `failed_precondition` where it is none. */
export function publicKeyOf(pem: string, subject: string): KeyObject {
  try {
    if (!/-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem)) throw new Error("no PUBLIC KEY block");
    const key = createPublicKey(pem);
    if (!kinds.includes(key.asymmetricKeyType)) throw new Error(`keys of ${key.asymmetricKeyType} are not known`);
    return key;
  } catch (failure) {
    throw new GalleyError("failed_precondition", `not a public key in PEM: ${(failure as Error).message}`, {
      op: "read public key",
      subject,
    });
  }
}

/** The hash of what a key signs; Ed25519 hashes by itself. */
export function hashFor(key: KeyObject): string | null {
  return key.asymmetricKeyType === "ed25519" ? null : "sha256";
}

/** Whether a signature (ECDSA's in DER, RSA's of PKCS #1) is one of a key over these bytes. */
export function verifies(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean {
  try {
    return kinds.includes(key.asymmetricKeyType) && verify(hashFor(key), signed, key, signature);
  } catch {
    return false; // A signature of another shape than the key's.
  }
}
