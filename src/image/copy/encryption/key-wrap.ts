import type { KeyObject } from "node:crypto";
import type { FlattenedJWE, GeneralJWE } from "jose";
import { ALGORITHMS, type Recipient } from "./keys.ts";

const CONTENT = "A256GCM";

/** Encrypts a small text for everybody who is named, as JSON (RFC 7516, section 7.2): each can read it alone. */
export async function wrapFor(recipients: readonly Recipient[], text: Uint8Array): Promise<string> {
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

/** Decrypts with the first key that can; `undefined` where none can. */
export async function unwrapWith(keys: readonly KeyObject[], wrapped: string): Promise<Uint8Array | undefined> {
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
  return undefined;
}
