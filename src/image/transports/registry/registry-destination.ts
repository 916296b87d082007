import type { Descriptor } from "../../../spec/image.ts";
import { canonicalName, type Reference, withDefaultTag } from "../../reference.ts";
import type { Destination, Document, NewBlob, Reuse, SignatureKeeper, Source, Traits } from "../place.ts";
import type { TransportOptions } from "../transport.ts";
import type { ApiRequest, RegistryClient } from "./client.ts";
import type { RegistryClients } from "./clients.ts";
import { Repository } from "./repository.ts";
import type { ImageSignatures } from "./signatures/image-signatures.ts";
import { locationOf, uploadBlob } from "./upload.ts";

/** An image in a registry, to be copied to. It becomes visible when its own document is put, last. */
export class RegistryDestination implements Destination {
  readonly name: string;
  readonly reference: Reference;
  readonly traits: Traits = { lists: true, layers: "compressed", foreign: true };
  readonly #repository: Repository;
  /** Uploads that a registry opened instead of a mount, by digest. */
  readonly #sessions = new Map<string, URL>();

  constructor(
    private readonly clients: RegistryClients,
    reference: Reference,
  ) {
    this.reference = withDefaultTag(reference);
    this.name = `docker://${canonicalName(this.reference)}`;
    this.#repository = new Repository(clients, this.reference);
  }

  async reuse(blob: Descriptor, source: Source, options: TransportOptions = {}): Promise<Reuse> {
    const client = await this.clients.of(this.reference, options);
    const api = this.#request("HEAD", `blobs/${blob.digest}`, blob.digest);
    const answer = await client.retrying(options, () => client.attempt(api, options, [404]));
    answer.discard();
    if (answer.response.ok) return "present";
    return this.#mayMount(source) ? this.#mount(client, blob, source.reference?.path ?? "", options) : "absent";
  }

  #mayMount({ reference }: Source): boolean {
    return reference?.domain === this.reference.domain && reference.path !== this.reference.path;
  }

  /** Status 201 is a mount; 202 is an upload that the registry would rather have (distribution-spec 1.1, "Mounting a blob"). */
  async #mount(client: RegistryClient, blob: Descriptor, from: string, options: TransportOptions): Promise<Reuse> {
    const query = new URLSearchParams({ mount: blob.digest, from });
    const api = this.#request("POST", `blobs/uploads/?${query}`, blob.digest, from);
    const refused = [400, 401, 403, 404, 405, 501];
    const answer = await client.retrying(options, () => client.attempt({ ...api, body: "" }, options, refused));
    answer.discard();
    if (answer.response.status === 201) return "mounted";
    if (answer.response.status === 202) this.#sessions.set(blob.digest, locationOf(client, answer, api));
    return "absent";
  }

  async writeBlob(
    blob: NewBlob,
    options: TransportOptions = {},
  ): Promise<{ readonly digest: string; readonly size: number }> {
    const client = await this.clients.of(this.reference, options);
    const digest = blob.expected?.digest ?? "";
    const session = this.#sessions.get(digest);
    this.#sessions.delete(digest);
    const { path } = this.reference;
    return uploadBlob({ client, path, scope: this.#scope(), blob, session }, options);
  }

  async writeDocument(document: Document, role: "root" | "part", options: TransportOptions = {}): Promise<void> {
    const { bytes, descriptor } = document;
    const { digest, tag } = this.reference;
    const what = role === "part" ? descriptor.digest : (digest ?? tag ?? descriptor.digest);
    await this.#repository.putManifest(bytes, descriptor, what, options);
  }

  readonly signatures: SignatureKeeper = {
    check: async (signatures) => (await this.#signatures()).check(this.reference, signatures),
    write: async (signatures, { descriptor }, _role, options) =>
      (await this.#signatures()).write(this.reference, descriptor.digest, signatures, options),
  };

  async #signatures(): Promise<ImageSignatures> {
    const [{ ImageSignatures: Signatures }, { RegistryTransport }] = await Promise.all([
      import("./signatures/image-signatures.ts"),
      import("./registry.ts"),
    ]);
    return new Signatures(this.clients, new RegistryTransport(this.clients, this.clients.direct(this.reference)));
  }

  async commit(): Promise<void> {}

  async close(): Promise<void> {}

  #scope(from?: string): string {
    const own = `repository:${this.reference.path}:pull,push`;
    return from === undefined ? own : `${own} repository:${from}:pull`;
  }

  #request(method: "HEAD" | "POST", path: string, subject: string, from?: string): ApiRequest {
    const { path: repository } = this.reference;
    return { method, path: `${repository}/${path}`, op: "push", subject, scope: this.#scope(from) };
  }
}
