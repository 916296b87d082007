import { type KeyObject, sign } from "node:crypto";
import { fromBase64 } from "./base64.ts";
import { type Claim, makePayload, parsePayload } from "./payload.ts";
import { hashFor, verifies } from "./public-key.ts";
import { refused } from "./refused.ts";
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

/** Checks the signature of a payload with keys of which one must fit; gives what the payload says. `permission_denied` otherwise. */
export function verifySigstore({ payload, annotations }: SigstoreSignature, keys: readonly KeyObject[]): Claim {
  const signature = fromBase64(annotation(annotations, COSIGN_SIGNATURE));
  if (signature === undefined) throw refused("the signature is not base64");
  if (keys.some((key) => verifies(key, payload, signature))) return parsePayload(TYPE, payload);
  throw refused(
    "cryptographic signature verification failed: invalid signature when validating ASN.1 encoded signature",
  );
}

/** What stands beside a signature under a name; `permission_denied` where nothing does. */
export function annotation(annotations: SigstoreSignature["annotations"], name: string): string {
  const text = Object.hasOwn(annotations, name) ? annotations[name] : undefined;
  if (text !== undefined) return text;
  throw refused(`missing ${name} annotation`);
}
