import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { GalleyError } from "../../errors.ts";
import { type Claim, makePayload, parsePayload } from "./payload.ts";
import { COSIGN_PAYLOAD, COSIGN_SIGNATURE, type Signer, type SigstoreSignature } from "./signature.ts";

const TYPE = "cosign container image signature";

/** Signs as cosign does, with a private key. */
export function sigstoreSigner(key: KeyObject): Signer {
  return {
    what: "Signing image using a sigstore signature",
    async sign(manifest, identity) {
      const payload = makePayload(TYPE, manifest, identity);
      const signature = sign(hashFor(key), payload, key).toString("base64");
      return {
        format: "sigstore-json",
        mediaType: COSIGN_PAYLOAD,
        payload,
        annotations: { [COSIGN_SIGNATURE]: signature },
      };
    },
  };
}

/** Ed25519 hashes by itself. */
function hashFor(key: KeyObject): string | null {
  return key.asymmetricKeyType === "ed25519" ? null : "sha256";
}

/** A public key in PEM; `failed_precondition` where it is none. */
export function publicKeyOf(pem: string, subject: string): KeyObject {
  try {
    if (!/-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem)) throw new Error("no PUBLIC KEY block");
    return createPublicKey(pem);
  } catch (failure) {
    throw new GalleyError("failed_precondition", `not a public key in PEM: ${(failure as Error).message}`, {
      op: "read public key",
      subject,
    });
  }
}

/** Checks the signature of a payload with keys of which one must fit; gives what the payload says. `permission_denied` otherwise. */
export function verifySigstore({ payload, annotations }: SigstoreSignature, keys: readonly KeyObject[]): Claim {
  const text = annotations[COSIGN_SIGNATURE];
  if (text === undefined) throw refused(`missing ${COSIGN_SIGNATURE} annotation`);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw refused("the signature is not base64");
  const signature = Buffer.from(text, "base64");
  if (keys.some((key) => fits(key, payload, signature))) return parsePayload(TYPE, payload);
  throw refused(
    "cryptographic signature verification failed: invalid signature when validating ASN.1 encoded signature",
  );
}

function fits(key: KeyObject, payload: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(hashFor(key), payload, key, signature);
  } catch {
    return false; // A signature of another shape than the key's.
  }
}

function refused(why: string): GalleyError {
  return new GalleyError("permission_denied", why);
}
