/** Stand-ins of Fulcio and Rekor: signatures as cosign leaves them, each part of which can be made wrong. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { json } from "@sigstore/core";
import type { Issued } from "./authority.ts";

/** A pair of keys, as PEM. */
export interface Pair {
  readonly key: string;
  readonly publicKey: string;
}

/** A new pair; ECDSA with P-256 unless another curve or `ed25519` or `rsa` is asked for. */
export function newPair(kind = "P-256"): Pair {
  const encoding = {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  } as const;
  if (kind === "rsa") return pairOf(generateKeyPairSync("rsa", { modulusLength: 2048, ...encoding }));
  if (kind === "ed25519") return pairOf(generateKeyPairSync("ed25519", encoding));
  return pairOf(generateKeyPairSync("ec", { namedCurve: kind, ...encoding }));
}

function pairOf({ publicKey, privateKey }: { readonly publicKey: string; readonly privateKey: string }): Pair {
  return { key: privateKey, publicKey };
}

/** The public half of a private key. */
export function publicHalf(key: string): string {
  return String(createPublicKey(key).export({ type: "spki", format: "pem" }));
}

/** Signs bytes, in base64. */
export function signed(key: string, bytes: string | Uint8Array): string {
  const secret = createPrivateKey(key);
  const hash = secret.asymmetricKeyType === "ed25519" ? null : "sha256";
  return sign(hash, Buffer.from(bytes), secret).toString("base64");
}

/** What cosign signs. */
export function payloadOf(manifest: string, identity: string): string {
  return JSON.stringify({
    critical: {
      identity: { "docker-reference": identity },
      image: { "docker-manifest-digest": `sha256:${createHash("sha256").update(manifest).digest("hex")}` },
      type: "cosign container image signature",
    },
    optional: null,
  });
}

/** What an entry of the log is about. */
export interface Entry {
  /** A public key or certificate. */
  readonly signer: string;
  readonly signature: string;
  readonly payload: string;
}

type Json = Record<string, unknown>;

/** The body of an entry of the kind `hashedrekord`. */
function bodyOf({ signer, signature, payload }: Entry): Json {
  const hash = { algorithm: "sha256", value: createHash("sha256").update(payload).digest("hex") };
  const publicKey = { content: Buffer.from(signer).toString("base64") };
  const spec = { data: { hash }, signature: { content: signature, publicKey } };
  return { apiVersion: "0.0.1", kind: "hashedrekord", spec };
}

/** How an entry differs from a good one. */
export interface Edits {
  /** Changes the body before it is signed. */
  readonly body?: (body: Json) => Json | string;
  /** Changes the entry before it is signed. */
  readonly before?: (entry: Json) => Json;
  /** Changes the entry after it was signed. */
  readonly after?: (entry: Json) => Json;
  /** Changes the text of all. */
  readonly text?: (text: string) => string;
}

/** Rekor's promise that an entry came into the log at a time, in seconds. */
export function promiseOf(rekor: Pair, entry: Entry, time: number, edits: Edits = {}): string {
  const body = edits.body?.(bodyOf(entry)) ?? bodyOf(entry);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const logID = createHash("sha256").update(rekor.publicKey).digest("hex");
  const plain = { logIndex: 7, integratedTime: time, body: Buffer.from(text).toString("base64"), logID };
  const payload = edits.before?.(plain) ?? plain;
  const promise = signed(rekor.key, json.canonicalize(payload));
  const whole = { SignedEntryTimestamp: promise, Payload: edits.after?.(payload) ?? payload };
  return edits.text?.(JSON.stringify(whole)) ?? JSON.stringify(whole);
}

/** The annotations of a signature, by a certificate or a key. */
export function annotationsOf(parts: {
  readonly signature?: string | undefined;
  readonly bundle?: string | undefined;
  readonly certificate?: string | undefined;
  readonly chain?: string | undefined;
}): Record<string, string> {
  const all = {
    "dev.cosignproject.cosign/signature": parts.signature,
    "dev.sigstore.cosign/bundle": parts.bundle,
    "dev.sigstore.cosign/certificate": parts.certificate,
    "dev.sigstore.cosign/chain": parts.chain,
  };
  return Object.fromEntries(Object.entries(all).filter((one): one is [string, string] => one[1] !== undefined));
}

/** Certificates one after the other. */
export function chainOf(...certificates: readonly Issued[]): string {
  return certificates.map(({ certificate }) => certificate).join("");
}
