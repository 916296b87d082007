import { GalleyError, toGalleyError } from "../../../errors.ts";
import type { Descriptor } from "../../../spec/image.ts";
import { jsonObject } from "../../json-object.ts";
import type { KeyOpener, KeyWrapper } from "./key-wrap.ts";
import { CIPHER, type LayerKey, type Sealed } from "./layer-cipher.ts";

/** Annotations of an encrypted layer, as containers/ocicrypt writes and reads them. */
const ENCRYPTION = "org.opencontainers.image.enc.";
const KEYS = `${ENCRYPTION}keys.`;
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
  wrappers: readonly KeyWrapper[],
): Promise<Readonly<Record<string, string>>> {
  const secret = { symkey: base64(key), digest: sealed.digest, cipheroptions: { nonce: base64(nonce) } };
  const open = { cipher: CIPHER, hmac: base64(sealed.hmac), cipheroptions: {} };
  const text = Buffer.from(JSON.stringify(secret));
  const wraps = wrappers.map(async ({ scheme, wrap }) => [`${KEYS}${scheme}`, base64(await wrap(text))] as const);
  return { ...Object.fromEntries(await Promise.all(wraps)), [PUBLIC]: base64(Buffer.from(JSON.stringify(open))) };
}

/**
 * Opens the lock of an encrypted layer.
 * Errors: `permission_denied` where no key fits, `unimplemented` for another cipher, `data_loss` for annotations that make no sense.
 */
export async function openLock(layer: Descriptor, keys: readonly KeyOpener[]): Promise<OpenedLock> {
  const annotations = layer.annotations ?? {};
  const secret = await secretOf(layer, annotations, keys);
  const open = parsed(Buffer.from(annotations[PUBLIC] ?? "", "base64"), layer);
  if (open.cipher !== CIPHER) {
    throw new GalleyError("unimplemented", `unsupported cipher type: ${open.cipher ?? "none"}`, about(layer));
  }
  const bytes = (text: string | undefined) => Buffer.from(text ?? "", "base64");
  // What everybody can write may not take the place of what only those with a key could.
  const nonce = bytes(secret.cipheroptions?.nonce ?? open.cipheroptions?.nonce);
  const lock = { key: bytes(secret.symkey), nonce, hmac: bytes(open.hmac) };
  if (lock.key.length === 32 && nonce.length === 16 && lock.hmac.length === 32) return lock;
  throw new GalleyError("data_loss", "its key, nonce or HMAC has the wrong length", about(layer));
}

/** Asks everybody who may know until somebody does. */
async function secretOf(
  layer: Descriptor,
  annotations: Readonly<Record<string, string>>,
  openers: readonly KeyOpener[],
): Promise<Options> {
  const reasons: string[] = [];
  const asked = wrapsOf(annotations).flatMap((wrap) =>
    openers.filter((opener) => opener.takes(wrap.scheme)).map((opener) => ({ opener, ...wrap })),
  );
  for (const { opener, scheme, wrapped } of asked) {
    try {
      return parsed(await opener.open(wrapped, scheme), layer);
    } catch (failure) {
      reasons.push(toGalleyError(failure).describe());
    }
  }
  throw notOpened(
    layer,
    annotations,
    asked.some(({ scheme }) => !scheme.startsWith("provider.")),
    reasons,
  );
}

function wrapsOf(annotations: Readonly<Record<string, string>>) {
  return Object.entries(annotations)
    .filter(([key]) => key.startsWith(KEYS))
    .flatMap(([key, wraps]) =>
      wraps
        .split(",")
        .filter((part) => part !== "")
        .map((wrap) => ({ scheme: key.slice(KEYS.length), wrapped: Buffer.from(wrap, "base64") })),
    );
}

/** @param had whether there was a private key of the right kind: key providers do not count as such */
function notOpened(
  layer: Descriptor,
  annotations: Readonly<Record<string, string>>,
  had: boolean,
  reasons: readonly string[],
): GalleyError {
  const why = had
    ? "no suitable key unwrapper found or none of the private keys could be used for decryption"
    : "missing private key needed for decryption";
  const schemes = [...new Set(wrapsOf(annotations).map(({ scheme }) => scheme))];
  return new GalleyError("permission_denied", [why, ...new Set(reasons)].join(": "), {
    ...about(layer),
    hint: `it is for ${schemes.length === 0 ? "nobody" : `keys of ${schemes.join(", ")}`}`,
  });
}

function parsed(text: Uint8Array, layer: Descriptor): Options {
  const object = jsonObject(text);
  if (object !== undefined) return object;
  throw new GalleyError("data_loss", "what its annotations say of its encryption is no JSON object", about(layer));
}

function about(layer: Descriptor) {
  return { op: "decrypt", subject: layer.digest };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
