import type { KeyObject } from "node:crypto";
import { GalleyError } from "../../../errors.ts";
import type { Descriptor } from "../../../spec/image.ts";
import { unwrapWith, wrapFor } from "./key-wrap.ts";
import type { Recipient } from "./keys.ts";
import { CIPHER, type LayerKey, type Sealed } from "./layer-cipher.ts";

/** Annotations of an encrypted layer, as containers/ocicrypt writes and reads them. */
export const ENCRYPTION = "org.opencontainers.image.enc.";
const KEYS = `${ENCRYPTION}keys.`;
const JWE = `${KEYS}jwe`;
const PUBLIC = `${ENCRYPTION}pubopts`;

/** A layer's key, and what its encrypted bytes must be. */
export interface OpenedLock extends LayerKey {
  readonly hmac: Uint8Array;
}

interface Options {
  readonly cipher?: string;
  readonly symkey?: string;
  readonly hmac?: string;
  readonly cipheroptions?: { readonly nonce?: string } | null;
}

/** What a layer's descriptor says once it is encrypted. */
export async function lockLayer(
  { key, nonce }: LayerKey,
  sealed: Sealed,
  recipients: readonly Recipient[],
): Promise<Readonly<Record<string, string>>> {
  const secret = { symkey: base64(key), digest: sealed.digest, cipheroptions: { nonce: base64(nonce) } };
  const open = { cipher: CIPHER, hmac: base64(sealed.hmac), cipheroptions: {} };
  return {
    [JWE]: base64(Buffer.from(await wrapFor(recipients, Buffer.from(JSON.stringify(secret))))),
    [PUBLIC]: base64(Buffer.from(JSON.stringify(open))),
  };
}

/**
 * Opens the lock of an encrypted layer.
 * Errors: `permission_denied` where no key fits, `unimplemented` for another cipher, `data_loss` for annotations that make no sense.
 */
export async function openLock(layer: Descriptor, keys: readonly KeyObject[]): Promise<OpenedLock> {
  const annotations = layer.annotations ?? {};
  const secret = await secretOf(layer, annotations, keys);
  const open = parsed(Buffer.from(annotations[PUBLIC] ?? "", "base64"), layer);
  if (open.cipher !== CIPHER) {
    throw new GalleyError("unimplemented", `unsupported cipher type: ${open.cipher ?? "none"}`, about(layer));
  }
  const bytes = (text: string | undefined) => Buffer.from(text ?? "", "base64");
  const nonce = bytes(open.cipheroptions?.nonce ?? secret.cipheroptions?.nonce);
  const lock = { key: bytes(secret.symkey), nonce, hmac: bytes(open.hmac) };
  if (lock.key.length === 32 && nonce.length === 16 && lock.hmac.length === 32) return lock;
  throw new GalleyError("data_loss", "its key, nonce or HMAC has the wrong length", about(layer));
}

async function secretOf(
  layer: Descriptor,
  annotations: Readonly<Record<string, string>>,
  keys: readonly KeyObject[],
): Promise<Options> {
  for (const wrapped of (annotations[JWE] ?? "").split(",").filter((part) => part !== "")) {
    const text = await unwrapWith(keys, Buffer.from(wrapped, "base64").toString());
    if (text !== undefined) return parsed(text, layer);
  }
  const others = Object.keys(annotations).filter((key) => key.startsWith(KEYS) && key !== JWE);
  const why = "no suitable key unwrapper found or none of the private keys could be used for decryption";
  throw new GalleyError("permission_denied", why, {
    ...about(layer),
    hint:
      others.length === 0
        ? "it is for other keys"
        : `it is for keys of ${others.map((key) => key.slice(KEYS.length)).join(", ")}, too`,
  });
}

function parsed(text: Uint8Array, layer: Descriptor): Options {
  try {
    const value: unknown = JSON.parse(Buffer.from(text).toString("utf8"));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new GalleyError("data_loss", "what its annotations say of its encryption is no JSON object", about(layer));
}

function about(layer: Descriptor) {
  return { op: "decrypt", subject: layer.digest };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
