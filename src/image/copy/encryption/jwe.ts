import { createPublicKey, type KeyObject } from "node:crypto";
import type { FlattenedJWE, GeneralJWE } from "jose";
import { GalleyError } from "../../../errors.ts";
import { asJwk, firstOf, invalidKey, publicKeyIn, readKeyFile } from "./key-file.ts";
import type { KeyOpener, KeyWrapper } from "./key-wrap.ts";

const CONTENT = "A256GCM";

/** Algorithms that containers/ocicrypt takes, and no others. */
const ALGORITHMS = ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"];

/** Somebody that an image is encrypted for. */
interface Recipient {
  readonly key: KeyObject;
  /** How the layers' keys are encrypted with it (RFC 7518, section 4.1). */
  readonly algorithm: string;
}

/** For those who have the private keys of these files' public ones: PEM, DER or JWK. Errors: `invalid_argument`. */
export function jweWrapper(files: readonly string[]): KeyWrapper {
  const recipients = files.map((file) => recipientOf(readKeyFile(file), file));
  return { scheme: "jwe", wrap: async (secret) => Buffer.from(await wrapFor(recipients, secret)) };
}

/** With private keys, RSA and EC. */
export function jweOpener(keys: readonly KeyObject[]): KeyOpener {
  return { takes: (scheme) => scheme === "jwe", open: (wrapped) => unwrapWith(keys, Buffer.from(wrapped).toString()) };
}

function recipientOf(bytes: Buffer, file: string): Recipient {
  const jwk = asJwk(bytes);
  const key = publicKeyIn(bytes) ?? firstOf(() => createPublicKey({ key: jwk as object, format: "jwk" }));
  if (key === undefined) throw invalidKey(file, "File provided is not a public key", "give one as PEM, DER or JWK");
  const algorithm = jwk?.alg ?? (key.asymmetricKeyType === "ec" ? "ECDH-ES+A256KW" : "RSA-OAEP");
  if (ALGORITHMS.includes(algorithm)) return { key, algorithm };
  throw invalidKey(file, `${algorithm} is an unsupported JWE key algorithm`, `use one of ${ALGORITHMS.join(", ")}`);
}

/** Encrypts a small text for everybody who is named, as JSON (RFC 7516, section 7.2): each can read it alone. */
async function wrapFor(recipients: readonly Recipient[], text: Uint8Array): Promise<string> {
  const { FlattenedEncrypt, GeneralEncrypt } = await import("jose");
  const [only, ...others] = recipients;
  if (only !== undefined && others.length === 0) {
    const single = new FlattenedEncrypt(text).setProtectedHeader({ alg: only.algorithm, enc: CONTENT });
    return JSON.stringify(await single.encrypt(only.key));
  }
  const general = new GeneralEncrypt(text).setProtectedHeader({ enc: CONTENT });
  for (const { key, algorithm } of recipients) general.addRecipient(key).setUnprotectedHeader({ alg: algorithm });
  return JSON.stringify(await general.encrypt());
}

/** Decrypts with the first key that can. */
async function unwrapWith(keys: readonly KeyObject[], wrapped: string): Promise<Uint8Array> {
  const { compactDecrypt, flattenedDecrypt, generalDecrypt } = await import("jose");
  const options = { keyManagementAlgorithms: ALGORITHMS };
  const open = async (key: KeyObject) => {
    if (!wrapped.startsWith("{")) return compactDecrypt(wrapped, key, options);
    const document = JSON.parse(wrapped) as GeneralJWE | FlattenedJWE;
    return "recipients" in document ? generalDecrypt(document, key, options) : flattenedDecrypt(document, key, options);
  };
  for (const key of keys) {
    const opened = await open(key).catch(() => undefined);
    if (opened !== undefined) return opened.plaintext;
  }
  throw new GalleyError("permission_denied", "JWE: No suitable private key found for decryption");
}
