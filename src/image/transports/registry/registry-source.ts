import type { Descriptor } from "../../../spec/image.ts";
import { canonicalName, type Reference, withDefaultTag } from "../../reference.ts";
import type { Document, Source } from "../place.ts";
import type { BlobOptions, TransportOptions } from "../transport.ts";
import type { RegistryClients } from "./clients.ts";
import { RegistryTransport } from "./registry.ts";

/** An image in a registry, to be copied from. What a tag leads to is asked once. */
export class RegistrySource implements Source {
  readonly name: string;
  readonly reference: Reference;
  readonly #transport: RegistryTransport;
  #target: Promise<Descriptor> | undefined;

  constructor(clients: RegistryClients, reference: Reference) {
    this.reference = withDefaultTag(reference);
    this.name = `docker://${canonicalName(this.reference)}`;
    this.#transport = new RegistryTransport(clients);
  }

  async document(descriptor?: Descriptor, options?: TransportOptions): Promise<Document> {
    this.#target ??= descriptor === undefined ? this.#transport.resolve(this.reference, options) : undefined;
    const wanted = descriptor ?? (await (this.#target as Promise<Descriptor>));
    const bytes = await this.#transport.fetchManifest(this.reference, wanted, options);
    const { mediaType, digest, size } = wanted;
    return { descriptor: { mediaType, digest, size }, bytes };
  }

  blob(descriptor: Descriptor, options?: BlobOptions): AsyncIterable<Uint8Array> {
    return this.#transport.fetchBlob(this.reference, descriptor, options);
  }

  signatures({ descriptor }: Document, _role: "root" | "part", options?: TransportOptions) {
    return this.#transport.signatures(this.reference, descriptor.digest, options);
  }

  referrers({ descriptor }: Document, options?: TransportOptions): Promise<readonly Descriptor[]> {
    return this.#transport.referrers(this.reference, descriptor.digest, options);
  }

  async close(): Promise<void> {}
}
