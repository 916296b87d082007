import { GalleyError } from "../../../../errors.ts";
import type { Descriptor } from "../../../../spec/image.ts";
import { type Reference, repositoryOf } from "../../../reference.ts";
import { registriesDirectory, type SignatureStorage, signatureStorage } from "../../../trust/registries-d.ts";
import type { Signature } from "../../../trust/signature.ts";
import type { TransportOptions } from "../../transport.ts";
import type { RegistryClients } from "../clients.ts";
import type { RegistryTransport } from "../registry.ts";
import { Repository } from "../repository.ts";
import { uploadBlob } from "../upload.ts";
import { readAttachments, writeAttachments } from "./attachments.ts";
import { Lookaside } from "./lookaside.ts";

/** Signatures of a registry's images, wherever registries.d says that they are: attached in the registry, or beside it. */
export class ImageSignatures {
  constructor(
    private readonly clients: RegistryClients,
    private readonly transport: RegistryTransport,
  ) {}

  #storage(reference: Reference): SignatureStorage {
    return signatureStorage(reference, this.clients.env, this.clients.signatureDirectory);
  }

  #lookaside(base: string, { path }: Reference): Lookaside {
    return new Lookaside(base, path, this.clients.exchange);
  }

  /** All signatures of a manifest of the image. Nothing of them is verified. */
  async read(reference: Reference, digest: string, options: TransportOptions = {}): Promise<readonly Signature[]> {
    const storage = this.#storage(reference);
    const beside = await this.#lookaside(storage.read, reference).read(digest, options);
    const attached = storage.attachments ? await readAttachments(this.transport, reference, digest, options) : [];
    return [...beside, ...attached];
  }

  /** Refuses what could not be written, before anything is. */
  check(reference: Reference, signatures: readonly Signature[]): void {
    const { attachments } = this.#storage(reference);
    if (attachments || signatures.every(({ format }) => format === "simple-signing")) return;
    throw new GalleyError("failed_precondition", "writing sigstore attachments is disabled by configuration", {
      op: "write signature",
      subject: repositoryOf(reference),
      hint: `a file in ${registriesDirectory(this.clients.env, this.clients.signatureDirectory)} with use-sigstore-attachments: true allows it`,
    });
  }

  /** Keeps signatures of a manifest: in place of those beside the registry, in addition to those attached in it. */
  async write(reference: Reference, digest: string, signatures: readonly Signature[], options: TransportOptions = {}) {
    this.check(reference, signatures);
    const simple = signatures.filter(({ format }) => format === "simple-signing");
    const attached = signatures.flatMap((one) => (one.format === "sigstore-json" ? [one] : []));
    if (simple.length > 0) this.#lookaside(this.#storage(reference).write, reference).write(digest, simple);
    if (attached.length === 0) return;
    const repository = new Repository(this.clients, reference);
    const upload = (bytes: Uint8Array, blob: Descriptor) => this.#upload(reference, bytes, blob, options);
    await writeAttachments({ reader: this.transport, repository, upload }, reference, digest, attached, options);
  }

  async #upload(reference: Reference, bytes: Uint8Array, blob: Descriptor, options: TransportOptions): Promise<void> {
    const { mediaType, digest, size } = blob;
    const { path } = reference;
    const open = async function* (offset: number) {
      yield bytes.subarray(offset);
    };
    await uploadBlob(
      {
        client: await this.clients.of(reference, options),
        path,
        scope: `repository:${path}:pull,push`,
        blob: { mediaType, expected: { digest, size }, open },
      },
      options,
    );
  }
}
