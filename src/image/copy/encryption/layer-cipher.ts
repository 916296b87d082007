import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { GalleyError } from "../../../errors.ts";

/** The one cipher of encrypted layers: AES-256 in counter mode, and an HMAC of what came out of it with the same key. */
export const CIPHER = "AES_256_CTR_HMAC_SHA256";

/** Opens one layer. */
export interface LayerKey {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 16 bytes that the counter begins with. */
  readonly nonce: Uint8Array;
}

/** A key that no other layer has. */
export function newLayerKey(): LayerKey {
  return { key: randomBytes(32), nonce: randomBytes(16) };
}

/** What an encrypted layer's descriptor tells of it. */
export interface Sealed {
  /** Of the encrypted bytes. */
  readonly hmac: Buffer;
  /** Of the bytes that were encrypted. */
  readonly digest: string;
}

/** @param done told what became of the layer when all of it is there */
export async function* encrypted(
  source: AsyncIterable<Uint8Array>,
  { key, nonce }: LayerKey,
  done: (sealed: Sealed) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv("aes-256-ctr", key, nonce);
  const hmac = createHmac("sha256", key);
  const plain = new Bun.CryptoHasher("sha256");
  for await (const chunk of source) {
    plain.update(chunk);
    const bytes = cipher.update(chunk);
    hmac.update(bytes);
    yield bytes;
  }
  await done({ hmac: hmac.digest(), digest: `sha256:${plain.digest("hex")}` });
}

/** Fails with `data_loss` at the end where the HMAC is not the expected one: whoever keeps what came before must not keep it then. */
export async function* decrypted(
  source: AsyncIterable<Uint8Array>,
  { key, nonce }: LayerKey,
  expected: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const decipher = createDecipheriv("aes-256-ctr", key, nonce);
  const hmac = createHmac("sha256", key);
  for await (const chunk of source) {
    hmac.update(chunk);
    yield decipher.update(chunk);
  }
  const found = hmac.digest();
  if (found.length === expected.length && timingSafeEqual(found, expected)) return;
  throw new GalleyError("data_loss", "could not properly decrypt byte stream: its HMAC is another", {
    op: "decrypt",
    hint: "the layer or its annotations were altered",
  });
}
