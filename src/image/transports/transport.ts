import type { Descriptor } from "../../spec/image.ts";
import type { Lending } from "../content/lent.ts";
import type { Reference } from "../reference.ts";
import type { Signature } from "../trust/signature.ts";

/**
 * Where images come from.
 *
 * Vocabulary. A *reference* is a name that people use; it leads to a *target*, a descriptor of a manifest or of an index of
 * manifests. Manifests are small documents, read whole. *Blobs* are everything else (configurations, layers), read as streams
 * and possibly from the middle. A *descriptor* says digest, size and media type; who holds a descriptor needs no trust in where
 * the content comes from.
 *
 * Lifecycle of a pull:
 *
 *     const target = await transport.resolve(reference, { signal });
 *     const bytes = await transport.fetchManifest(reference, target, { signal });   // checked against `target`
 *     const layer = JSON.parse(text(bytes)).layers[0];
 *     for await (const chunk of verified(transport.fetchBlob(reference, layer, { signal }), layer)) …
 *
 * An interrupted download goes on where it stopped, with the bytes already there hashed by the caller:
 *
 *     for await (const chunk of transport.fetchBlob(reference, layer, { offset: have, signal })) file.write(chunk);
 *
 * A transport answers for reaching its source: authentication, redirects, waiting when told to, going on after a cut
 * connection, giving up with an error that names the reason. It does not check blobs: the one reader that writes them
 * into the store does (verify/), whatever the transport. It never buffers a blob.
 *
 * Errors: `not_found` (no such repository, tag or blob), `unauthenticated`, `permission_denied`, `unavailable` (cannot be
 * reached, overloaded, limit of requests), `deadline_exceeded` (stalled), `data_loss` (a manifest that is not what its
 * descriptor says), `canceled` with the signal's reason as the cause.
 */
export interface Transport {
  /**
   * What the reference leads to now. A descriptor may carry the manifest itself (`data`, base64), where the source gave it
   * away with the answer.
   */
  resolve(reference: Reference, options?: TransportOptions): Promise<Descriptor>;
  /** A manifest or index, checked; at most {@link MAX_MANIFEST} bytes. */
  fetchManifest(reference: Reference, descriptor: Descriptor, options?: TransportOptions): Promise<Uint8Array>;
  /** Signatures of a manifest of the image, unverified; absent where a transport knows none. */
  signatures?(reference: Reference, digest: string, options?: TransportOptions): Promise<readonly Signature[]>;
  /** A blob from `offset` to its end, unchecked. Interruptions are bridged inside, as far as the source allows. */
  fetchBlob(reference: Reference, descriptor: Descriptor, options?: BlobOptions): AsyncIterable<Uint8Array>;
  /**
   * The bytes of parts of a blob, one after the other, unchecked; parts are in order and do not overlap. `unimplemented` from a source that
   * gives all or nothing. Absent where a transport has no parts.
   */
  fetchParts?(
    reference: Reference,
    descriptor: Descriptor,
    parts: readonly BlobPart[],
    options?: TransportOptions,
  ): AsyncIterable<Uint8Array>;
}

/** Bytes of a blob from `start` up to, but without, `end`. */
export interface BlobPart {
  readonly start: number;
  readonly end: number;
}

export interface TransportOptions {
  readonly signal?: AbortSignal;
  /** Told before each wait for another attempt. */
  readonly onRetry?: (retry: Retry) => void;
}

export interface BlobOptions extends TransportOptions, Lending {
  /** Bytes to leave out at the beginning. */
  readonly offset?: number;
}

/** Why and for how long (seconds) a transport waits before it tries again. */
export interface Retry {
  readonly seconds: number;
  readonly reason: string;
}

/** Size limit of manifests in bytes, the one of docker and containerd (distribution-spec asks for at least as much). */
export const MAX_MANIFEST = 4 << 20;
