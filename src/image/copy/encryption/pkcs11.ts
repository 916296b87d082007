import { constants, type KeyObject, publicEncrypt } from "node:crypto";
import { GalleyError } from "../../../errors.ts";
import { invalidKey, isTokenFile, publicKeyIn, readKeyFile } from "./key-file.ts";
import type { KeyWrapper } from "./key-wrap.ts";

/** The variable that names another hash: some tokens, SoftHSM's among them, know SHA-1 alone. */
const HASH_VARIABLE = "OCICRYPT_OAEP_HASHALG";

/**
 * For those whose PKCS #11 tokens have the private keys of these files' public ones: RSA, in PEM or DER (ocicrypt's crypto/pkcs11). To encrypt takes no
 * token; to decrypt does, and is not done here.
 * Errors: `invalid_argument`, `unimplemented` for files that name a key in a token.
 */
export function pkcs11Wrapper(files: readonly string[], env: NodeJS.ProcessEnv = process.env): KeyWrapper {
  const keys = files.map(readTokenKey);
  const hash = env[HASH_VARIABLE] || "sha256";
  if (hash !== "sha256" && hash !== "sha1") {
    throw invalidKey(HASH_VARIABLE, `Unsupported OAEP hash '${hash}'`, "use sha256 or sha1");
  }
  return { scheme: "pkcs11", wrap: async (secret) => wrapFor(keys, hash, secret) };
}

function readTokenKey(file: string): KeyObject {
  const bytes = readKeyFile(file);
  if (isTokenFile(bytes)) throw needsModule("encrypt", file);
  const key = publicKeyIn(bytes);
  if (key?.asymmetricKeyType === "rsa") return key;
  throw invalidKey(file, "Provided file is not a public key", "give one for RSA as PEM or DER");
}

function wrapFor(keys: readonly KeyObject[], oaepHash: string, secret: Uint8Array): Buffer {
  const recipients = keys.map((key) => {
    const blob = encrypted(key, oaepHash, secret).toString("base64");
    return { version: 0, blob, hash: oaepHash };
  });
  return Buffer.from(JSON.stringify({ version: 0, recipients }));
}

function encrypted(key: KeyObject, oaepHash: string, secret: Uint8Array): Buffer {
  try {
    return publicEncrypt({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, secret);
  } catch (cause) {
    throw new GalleyError("invalid_argument", "the RSA key is too small for what is to be encrypted", {
      ...{ op: "encrypt", subject: "pkcs11", cause },
      hint: `use a key of 3072 bits or more, or ${HASH_VARIABLE}=sha1`,
    });
  }
}

/** What is said of a key that only a token has. */
export function needsModule(op: "encrypt" | "decrypt", file: string): GalleyError {
  const why = "keys in a PKCS #11 token are not supported: they need the token's module";
  const hint = "a key provider can ask a token: provider:NAME";
  return new GalleyError("unimplemented", why, { op, subject: file, hint });
}
