import type { Descriptor } from "../../spec/image.ts";
import type { Lending } from "../content/lent.ts";
import type { Reference } from "../reference.ts";
import type { Signature } from "../trust/signature.ts";
import type { BlobOptions, TransportOptions } from "./transport.ts";

/**
 * Where images are copied from and to.
 *
 * A *place* is one image at one transport: `docker://host/app:1`, `oci:/images:app`. A {@link Source} is a place that is read, a
 * {@link Destination} one that is written. Both deal in documents (manifests, indexes; small, whole) and blobs (configurations,
 * layers; streams). Nobody needs to trust a source: documents are checked against their descriptors by the source, blobs by the
 * destination that keeps them, so every byte is hashed once.
 *
 * A copy is
 *
 *     const { bytes, descriptor } = await source.document();
 *     for (const blob of blobsOf(bytes)) {
 *       if ((await destination.reuse(blob, source)) === "absent") await destination.writeBlob(blobFrom(source, blob));
 *     }
 *     await destination.writeDocument({ bytes, descriptor }, "root");
 *     await destination.commit();
 *
 * and then `close()` of both, whether or not it succeeded; what was not committed is gone or without effect after that.
 *
 * Errors are those of {@link import("./transport.ts").Transport}; in addition a destination that cannot hold something (a list, a
 * layer of a kind) says so in {@link Traits} and refuses with `failed_precondition`, and an archive or layout that lies about
 * itself is `data_loss` with what and where.
 */
export interface Source {
  /** As people write it, for messages. */
  readonly name: string;
  /** Where it is in a registry; other places of the registry may take its blobs without their being sent. */
  readonly reference?: Reference;
  /** The document that a descriptor names, or without one the image's own: a manifest or an index. At most MAX_MANIFEST bytes. */
  document(descriptor?: Descriptor, options?: TransportOptions): Promise<Document>;
  /** A blob from `offset` to its end, unchecked; `not_found` where there is none. */
  blob(descriptor: Descriptor, options?: BlobOptions): AsyncIterable<Uint8Array>;
  /**
   * Signatures of a document of this place, unverified; absent where the transport keeps none.
   * @param role whether the document is what the place's name leads to, or what an index names
   */
  signatures?(document: Document, role: "root" | "part", options?: TransportOptions): Promise<readonly Signature[]>;
  /** Manifests that name a document as their subject; absent where nothing tells. */
  referrers?(document: Document, options?: TransportOptions): Promise<readonly Descriptor[]>;
  close(): Promise<void>;
}

/** A manifest or index as bytes, with what it is. */
export interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** What a destination can hold. */
export interface Traits {
  /** Media types of manifests; absent: any. The first is what others are converted to. */
  readonly manifests?: readonly string[];
  /** Whether a list of several images can be kept whole. */
  readonly lists: boolean;
  /** Whether layers that their vendor serves from elsewhere (`urls`) may be left there. */
  readonly foreign?: boolean;
  /** How layers are wanted: as they come, compressed with anything, or decompressed (which is a must, where the others are a wish). */
  readonly layers: "any" | "compressed" | "plain";
}

/** What is known of a blob before its first byte. */
export interface NewBlob {
  readonly mediaType: string;
  /** Digest and size; absent where a conversion makes the content while it is read. */
  readonly expected?: { readonly digest: string; readonly size: number } | undefined;
  /** Of a layer: the digest of its tar, where the image's configuration tells. */
  readonly diffId?: string | undefined;
  /**
   * The content from `offset`. May be asked for again, after a connection broke; a blob without `expected` is only ever read
   * from the beginning.
   */
  open(offset: number, lending?: Lending): AsyncIterable<Uint8Array>;
}

/** Whether a destination holds a blob: already, or now, taken from another repository of the same registry. */
export type Reuse = "present" | "mounted" | "absent";

/** Where a destination keeps signatures of its documents. */
export interface SignatureKeeper {
  /** Refuses what could not be kept, before anything is written. */
  check(signatures: readonly Signature[]): Promise<void>;
  /** Keeps the signatures of a document that was written. */
  write(
    signatures: readonly Signature[],
    document: Document,
    role: "root" | "part",
    options?: TransportOptions,
  ): Promise<void>;
}

export interface Destination {
  /** As people write it, for messages. */
  readonly name: string;
  /** Where it is in a registry, or the name that it has there. */
  readonly reference?: Reference;
  readonly traits: Traits;
  /** Looks for a blob that would come from `source`, and takes it over where that is possible without its bytes. */
  reuse(blob: Descriptor, source: Source, options?: TransportOptions): Promise<Reuse>;
  /** Takes a blob in, checked; gives its digest and size. Several may be on their way at once. */
  writeBlob(blob: NewBlob, options?: TransportOptions): Promise<{ readonly digest: string; readonly size: number }>;
  /** Takes a document in, after everything that it names: the image's own (`root`), or one that an index names. */
  writeDocument(document: Document, role: "root" | "part", options?: TransportOptions): Promise<void>;
  /** Keeps signatures; absent where the transport keeps none. */
  readonly signatures?: SignatureKeeper;
  /** Makes the image visible. */
  commit(options?: TransportOptions): Promise<void>;
  close(): Promise<void>;
}
