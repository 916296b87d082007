import { restated, toGalleyError } from "../../../errors.ts";
import type { Descriptor } from "../../../spec/image.ts";
import { canonicalName, type Reference, repositoryOf, withDefaultTag } from "../../reference.ts";
import type { Document, Source } from "../place.ts";
import type { BlobOptions, TransportOptions } from "../transport.ts";
import type { RegistryClients } from "./clients.ts";
import { RegistryTransport } from "./registry.ts";

/** An image in a registry, to be copied from. What its name leads to is asked for once. */
export class RegistrySource implements Source {
  readonly name: string;
  readonly reference: Reference;
  readonly #transport: RegistryTransport;
  #root: Promise<Document> | undefined;

  constructor(clients: RegistryClients, reference: Reference) {
    this.reference = withDefaultTag(reference);
    this.name = `docker://${canonicalName(this.reference)}`;
    this.#transport = new RegistryTransport(clients);
  }

  document(descriptor?: Descriptor, options?: TransportOptions): Promise<Document> {
    if (descriptor !== undefined) return this.#fetch(descriptor, options);
    this.#root ??= this.#resolved(options);
    return this.#root;
  }

  async #resolved(options?: TransportOptions): Promise<Document> {
    try {
      return await this.#transport.read(this.reference, options);
    } catch (failure) {
      const error = toGalleyError(failure);
      if (error.op !== "pull") throw error;
      const { tag, digest } = this.reference;
      const op = `initializing source ${this.name}: reading manifest ${digest ?? tag} in`;
      throw restated(error, { op, subject: repositoryOf(this.reference) });
    }
  }

  async #fetch(wanted: Descriptor, options?: TransportOptions): Promise<Document> {
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
