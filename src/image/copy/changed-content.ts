import { decompress } from "../pull/decompress.ts";
import { verified } from "../verify/read.ts";
import type { Annotations } from "./chunked/annotations.ts";
import { type CompressionOptions, compress } from "./compress.ts";
import type { KeyWrapper } from "./encryption/key-wrap.ts";
import type { OpenedLock } from "./encryption/layer-lock.ts";

/** What is done to a layer on its way. */
export interface Changes {
  readonly unlock?: OpenedLock | undefined;
  /** How it is to be compressed, where that is not how it is. */
  readonly compress?: CompressionOptions | undefined;
  /** For whom it is encrypted. */
  readonly encrypt?: readonly KeyWrapper[] | undefined;
}

/** Whether a layer arrives with other bytes than it had. */
export function isChanged({ unlock, compress: target, encrypt }: Changes): boolean {
  return unlock !== undefined || target !== undefined || encrypt !== undefined;
}

/**
 * A layer as it is to arrive: decrypted, compressed anew, encrypted, as far as that is wanted.
 * @param source the blob, checked
 * @param diffId what the tar must be; checked where it comes to light
 * @param annotate told what the layer's descriptor is to say of what was done, when that is known
 */
export async function* changedContent(
  source: AsyncIterable<Uint8Array>,
  { unlock, compress: target, encrypt }: Changes,
  diffId: string | undefined,
  annotate: (annotations: Annotations) => void,
): AsyncGenerator<Uint8Array> {
  const opened = unlock === undefined ? source : await unlocked(source, unlock);
  const packed = target === undefined ? opened : compress(tarOf(opened, diffId), target, annotate);
  yield* encrypt === undefined ? packed : locked(packed, encrypt, annotate);
}

function tarOf(blob: AsyncIterable<Uint8Array>, diffId: string | undefined): AsyncIterable<Uint8Array> {
  const tar = decompress(blob);
  return diffId === undefined ? tar : verified(tar, { digest: diffId });
}

async function unlocked(source: AsyncIterable<Uint8Array>, lock: OpenedLock): Promise<AsyncIterable<Uint8Array>> {
  const { decrypted } = await import("./encryption/layer-cipher.ts");
  return decrypted(source, lock, lock.hmac);
}

async function* locked(
  source: AsyncIterable<Uint8Array>,
  recipients: readonly KeyWrapper[],
  annotate: (annotations: Annotations) => void,
): AsyncGenerator<Uint8Array> {
  const { encrypted, newLayerKey } = await import("./encryption/layer-cipher.ts");
  const { lockLayer } = await import("./encryption/layer-lock.ts");
  const key = newLayerKey();
  yield* encrypted(source, key, async (sealed) => annotate(await lockLayer(key, sealed, recipients)));
}
