import { GalleyError } from "../../../errors.ts";
import type { Descriptor } from "../../../spec/image.ts";
import { parseAnyReference } from "../../reference.ts";
import { findRow, nameOf, noSuchImage } from "../../store/find.ts";
import type { ImageStore } from "../../store/image-store.ts";
import { decodeSignature, type Signature } from "../../trust/signature.ts";
import type { Document, Source } from "../place.ts";
import type { BlobOptions } from "../transport.ts";

/**
 * An image of Galley's store: the manifest of its platform, with the blobs as they came. An index that led to it is not given, since
 * the images for other platforms are not here.
 */
export class StoreSource implements Source {
  readonly name: string;
  readonly #manifest: Descriptor;

  constructor(
    private readonly store: ImageStore,
    reference: string,
  ) {
    const row = findRow(store.table, reference);
    if (row === undefined) throw unresolved(reference);
    const { manifest_digest: digest, manifest_type: mediaType, manifest_size: size } = row;
    this.#manifest = { digest, mediaType, size };
    const meant = parseAnyReference(reference);
    this.name = `containers-storage:${"id" in meant ? meant.id : nameOf(meant.reference)}`;
  }

  async document(descriptor: Descriptor = this.#manifest): Promise<Document> {
    const { mediaType, digest, size } = descriptor;
    return { descriptor: { mediaType, digest, size }, bytes: this.store.content.read(descriptor) };
  }

  async *blob(descriptor: Descriptor, { offset = 0, signal }: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    let skip = offset;
    for await (const chunk of this.store.content.stream(descriptor.digest)) {
      signal?.throwIfAborted();
      const useful = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - useful.length;
      if (useful.length > 0) yield useful;
    }
  }

  async signatures({ descriptor }: Document): Promise<readonly Signature[]> {
    const found = this.store.table.signaturesOf(descriptor.digest);
    return found.map((bytes) => decodeSignature(bytes, this.name));
  }

  async close(): Promise<void> {}
}

/** skopeo's words before docker's. */
function unresolved(reference: string): GalleyError {
  const message = `reference ${JSON.stringify(reference)} does not resolve to an image ID: ${noSuchImage(reference).message}`;
  return new GalleyError("not_found", message);
}
