import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, scryptSync } from "node:crypto";
import { secretbox } from "tweetnacl";
import { GalleyError } from "../../errors.ts";
import { jsonObject } from "../json-object.ts";

/** Costs of scrypt that are known: a file must not make its reader work for hours. */
const costs = [32768, 65536, 131072];

/** The names that the block of a private key has had. */
const labels = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

/** A new pair as files hold it: the public key in PEM, the private key under a passphrase as cosign has it. ECDSA with P-256. */
export function generateSigstoreKey(passphrase: string): { readonly publicKey: string; readonly privateKey: string } {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKey = pair.publicKey.export({ type: "spki", format: "pem" });
  const secret = pair.privateKey.export({ type: "pkcs8", format: "der" });
  return { publicKey: String(publicKey), privateKey: pem(labels[1] ?? "", encrypted(secret, passphrase)) };
}

function encrypted(secret: Uint8Array, passphrase: string): Uint8Array {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const params = { N: 65536, r: 8, p: 1 };
  const box = secretbox(secret, nonce, derived(passphrase, salt, params.N));
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return Buffer.from(
    JSON.stringify({
      kdf: { name: "scrypt", params, salt: base64(salt) },
      cipher: { name: "nacl/secretbox", nonce: base64(nonce) },
      ciphertext: base64(box),
    }),
  );
}

function derived(passphrase: string, salt: Uint8Array, N: number): Uint8Array {
  return scryptSync(passphrase, salt, 32, { N, r: 8, p: 1, maxmem: 256 * N * 8 });
}

function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The encrypted document of a private key's file (go-securesystemslib, `encrypted`). */
interface Encrypted {
  readonly kdf?: {
    readonly name?: unknown;
    readonly params?: { readonly N?: unknown; readonly r?: unknown; readonly p?: unknown };
    readonly salt?: unknown;
  };
  readonly cipher?: { readonly name?: unknown; readonly nonce?: unknown };
  readonly ciphertext?: unknown;
}

/** Reads a private key of sigstore's; `failed_precondition` where it is none, or the passphrase is wrong. */
export function readSigstoreKey(text: string, passphrase: string, subject: string): KeyObject {
  const block = /-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(text);
  if (block === null) throw unusable(subject, "invalid pem block");
  if (!labels.includes(block[1] ?? "")) throw unusable(subject, `unsupported pem type: ${block[1]}`);
  const secret = decrypted(Buffer.from(block[2] ?? "", "base64").toString("utf8"), passphrase, subject);
  try {
    return createPrivateKey({ key: Buffer.from(secret), format: "der", type: "pkcs8" });
  } catch (cause) {
    throw unusable(subject, `parsing private key: ${(cause as Error).message}`);
  }
}

function decrypted(text: string, passphrase: string, subject: string): Uint8Array {
  const { kdf, cipher, ciphertext } = parsed(text, subject);
  const { N, r, p } = kdf?.params ?? {};
  if (kdf?.name !== "scrypt") throw unusable(subject, `unknown kdf name ${JSON.stringify(kdf?.name)}`);
  if (cipher?.name !== "nacl/secretbox") throw unusable(subject, `unknown cipher name ${JSON.stringify(cipher?.name)}`);
  if (typeof N !== "number" || !costs.includes(N) || r !== 8 || p !== 1) {
    throw unusable(subject, "unsupported scrypt parameters");
  }
  const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : "", "base64");
  const nonce = bytes(cipher.nonce);
  if (nonce.length !== 24) throw unusable(subject, "incorrect nonce size");
  const secret = secretbox.open(bytes(ciphertext), nonce, derived(passphrase, bytes(kdf.salt), N));
  if (secret !== null) return secret;
  throw unusable(subject, "decrypt: decryption failed", "is the passphrase the right one?");
}

function parsed(text: string, subject: string): Encrypted {
  const object = jsonObject(text);
  if (object !== undefined) return object;
  throw unusable(subject, "the private key's block holds no JSON");
}

function unusable(subject: string, why: string, hint = "generate-sigstore-key makes such keys"): GalleyError {
  return new GalleyError("failed_precondition", why, { op: "read private key", subject, hint });
}
