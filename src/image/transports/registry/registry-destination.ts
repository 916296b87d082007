import type { Descriptor } from "../../../spec/image.ts";
import { canonicalName, type Reference, withDefaultTag } from "../../reference.ts";
import type { Destination, Document, NewBlob, Reuse, SignatureKeeper, Source, Traits } from "../place.ts";
import type { TransportOptions } from "../transport.ts";
import type { ApiRequest, RegistryClient } from "./client.ts";
import type { RegistryClients } from "./clients.ts";
import { RegistryError } from "./faults.ts";
import { Repository } from "./repository.ts";
import type { ImageSignatures } from "./signatures/image-signatures.ts";
import { cancelUpload, locationOf, uploadBlob } from "./upload.ts";

/** An image in a registry, to be copied to. It becomes visible when its own document is put, last. */
export class RegistryDestination implements Destination {
  readonly name: string;
  readonly reference: Reference;
  readonly traits: Traits = { lists: true, layers: "compressed", foreign: true };
  readonly #repository: Repository;
  /** Uploads that a registry opened instead of a mount, by digest. */
  readonly #sessions = new Map<string, URL>();
  /** Whether the registry has mounted whatever it was asked to so far. */
  #isGranting = true;

  constructor(
    private readonly clients: RegistryClients,
    reference: Reference,
  ) {
    this.reference = withDefaultTag(reference);
    this.name = `docker://${canonicalName(this.reference)}`;
    this.#repository = new Repository(clients, this.reference);
  }

  /** A mount is granted for what is there already, too; where mounts are not granted, it is asked first what is there. */
  async reuse(blob: Descriptor, source: Source, options: TransportOptions = {}): Promise<Reuse> {
    const client = await this.clients.of(this.reference, options);
    const look = () => this.#look(client, blob, options);
    if (!this.#mayMount(source)) return look();
    const mount = () => this.#mount(client, blob, source.reference?.path ?? "", options);
    const [first, second] = this.#isGranting ? [mount, look] : [look, mount];
    const found = await first();
    return found === "absent" ? second() : found;
  }

  #mayMount({ reference }: Source): boolean {
    return reference?.domain === this.reference.domain && reference.path !== this.reference.path;
  }

  async #look(client: RegistryClient, { digest }: Descriptor, options: TransportOptions): Promise<Reuse> {
    const api = this.#request("HEAD", `blobs/${digest}`, digest);
    const answer = await client.retrying(options, () => client.attempt(api, options, [404, 405, 501]));
    answer.discard();
    if (!answer.response.ok) return "absent";
    const needless = this.#takeSession(digest);
    if (needless !== undefined) await cancelUpload({ client, ...this.#place }, needless, options);
    return "present";
  }

  /** Status 201 is a mount; 202 is an upload that the registry would rather have (distribution-spec 1.1, "Mounting a blob"). */
  async #mount(client: RegistryClient, blob: Descriptor, from: string, options: TransportOptions): Promise<Reuse> {
    const query = new URLSearchParams({ mount: blob.digest, from });
    const api = this.#request("POST", `blobs/uploads/?${query}`, blob.digest, from);
    const answer = await client
      .retrying(options, () => client.attempt({ ...api, body: "" }, options))
      .catch((fault) => refusedMount(fault));
    answer?.discard();
    if (answer?.response.status === 201) return "mounted";
    this.#isGranting = false;
    if (answer?.response.status === 202) this.#sessions.set(blob.digest, locationOf(client, answer, api));
    return "absent";
  }

  async writeBlob(
    blob: NewBlob,
    options: TransportOptions = {},
  ): Promise<{ readonly digest: string; readonly size: number }> {
    const client = await this.clients.of(this.reference, options);
    const session = this.#takeSession(blob.expected?.digest ?? "");
    return uploadBlob({ client, ...this.#place, blob, session }, options);
  }

  #takeSession(digest: string): URL | undefined {
    const session = this.#sessions.get(digest);
    this.#sessions.delete(digest);
    return session;
  }

  get #place() {
    return { path: this.reference.path, scope: this.#scope() };
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

/** A registry, or its token service, that refuses a mount: from a repository that the login may not read, or any. Other faults are thrown. */
function refusedMount(fault: unknown): undefined {
  const refused = [400, 401, 403, 404, 405, 501];
  if (!(fault instanceof RegistryError) || !refused.includes(fault.status ?? 0)) throw fault;
}
