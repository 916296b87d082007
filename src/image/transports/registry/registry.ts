import { GalleyError, restated, toGalleyError } from "../../../errors.ts";
import { type Descriptor, mediaTypes } from "../../../spec/image.ts";
import { digestOf } from "../../digest.ts";
import { canonicalName, familiarName, type Reference } from "../../reference.ts";
import type { PullSource } from "../../registries/find-rule.ts";
import type { Signature } from "../../trust/signature.ts";
import { readCapped, tooLarge, verifyBytes } from "../../verify/read.ts";
import type { Document } from "../place.ts";
import { type BlobOptions, type BlobPart, MAX_MANIFEST, type Transport, type TransportOptions } from "../transport.ts";
import { streamBlob } from "./blob-stream.ts";
import type { ApiRequest, RegistryClient } from "./client.ts";
import { RegistryClients, type RegistryOptions } from "./clients.ts";
import { RegistryError } from "./faults.ts";
import type { HttpAnswer } from "./request.ts";

const accept = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
  "*/*;q=0.1", // So that an old schema is answered with itself, which can then be named, and not with 404.
].join(", ");

/** Answers to HEAD after which GET is tried: some registries and proxies know no HEAD, and errors have a text only with GET. */
const withoutHead = [400, 404, 405, 406, 501];

/** The OCI distribution protocol (distribution-spec 1.1, pull). One instance serves any number of references and registries. */
export class RegistryTransport implements Transport {
  readonly #clients: RegistryClients;
  /** By the name that was asked for. */
  readonly #chosen = new Map<string, PullSource>();

  /**
   * @param options how registries are reached, or clients that others use too
   * @param pinned the place where everything is read, whatever registries.conf says
   */
  constructor(
    options: RegistryOptions | RegistryClients = {},
    private readonly pinned?: PullSource,
  ) {
    this.#clients = options instanceof RegistryClients ? options : new RegistryClients(options);
  }

  resolve(reference: Reference, options: TransportOptions = {}): Promise<Descriptor> {
    return this.#first(reference, options, (source) => this.#resolveAt(source, options));
  }

  /** What the reference leads to now and what it is, in one request: for those who want the document whatever its digest. */
  read(reference: Reference, options: TransportOptions = {}): Promise<Document> {
    return this.#first(reference, options, async (source) => {
      const client = await this.#clients.at(source, options);
      const received = await readManifest(client, manifestRequest(source.reference, tagOf(source.reference)), options);
      return { descriptor: checkedDescriptor(source.reference, received), bytes: received.content };
    });
  }

  /** Asks the places that registries.conf names one after the other; the first that knows the image is used from then on. */
  async #first<T>(
    reference: Reference,
    options: TransportOptions,
    ask: (source: PullSource) => Promise<T>,
  ): Promise<T> {
    const mirrors: string[] = [];
    const sources = this.#places(reference);
    for (const [position, source] of sources.entries()) {
      try {
        const found = await ask(source);
        this.#chosen.set(canonicalName(reference), source);
        return found;
      } catch (failure) {
        if (options.signal?.aborted === true) throw failure;
        if (position + 1 === sources.length) throw mirrors.length === 0 ? failure : withMirrors(failure, mirrors);
        mirrors.push(`[${canonicalName(source.reference)}: ${toGalleyError(failure).message}]`);
      }
    }
    throw new GalleyError("internal", "no place to read from", { subject: canonicalName(reference) });
  }

  async #resolveAt(source: PullSource, options: TransportOptions): Promise<Descriptor> {
    const client = await this.#clients.at(source, options);
    const { reference } = source;
    const api = manifestRequest(reference, tagOf(reference));
    const answer = await client.retrying(options, () =>
      client.attempt({ ...api, method: "HEAD" }, options, withoutHead),
    );
    const announced = announcedDescriptor(answer, reference);
    answer.discard();
    if (announced !== undefined) return announced;
    const received = await readManifest(client, api, options);
    return { ...checkedDescriptor(reference, received), data: Buffer.from(received.content).toString("base64") };
  }

  async fetchManifest(
    reference: Reference,
    descriptor: Descriptor,
    options: TransportOptions = {},
  ): Promise<Uint8Array> {
    if (descriptor.size > MAX_MANIFEST) throw tooLarge(descriptor.digest, MAX_MANIFEST);
    const { data } = descriptor;
    const fetched = async () => {
      const source = await this.#source(reference, options);
      const client = await this.#clients.at(source, options);
      return (await readManifest(client, manifestRequest(source.reference, descriptor.digest), options)).content;
    };
    const content = data === undefined ? await fetched() : Buffer.from(data, "base64");
    verifyBytes(content, descriptor);
    return content;
  }

  /** Signatures of a manifest of the image, from wherever registries.d says that they are. Nothing of them is verified. */
  async signatures(
    reference: Reference,
    digest: string,
    options: TransportOptions = {},
  ): Promise<readonly Signature[]> {
    const source = await this.#source(reference, options);
    const { ImageSignatures } = await import("./signatures/image-signatures.ts");
    const here = new RegistryTransport(this.#clients, source);
    return new ImageSignatures(this.#clients, here).read(source.reference, digest, options);
  }

  /** What names a manifest of the image as its subject, where the image itself was found. */
  async referrers(
    reference: Reference,
    digest: string,
    options: TransportOptions = {},
  ): Promise<readonly Descriptor[]> {
    const source = await this.#source(reference, options);
    const { Repository } = await import("./repository.ts");
    return new Repository(this.#clients, source.reference, source).referrers(digest, options);
  }

  #places(reference: Reference): readonly PullSource[] {
    return this.pinned === undefined ? this.#clients.sources(reference) : [{ ...this.pinned, reference }];
  }

  /** The place that was found to hold the image. */
  async #source(reference: Reference, options: TransportOptions): Promise<PullSource> {
    const key = canonicalName(reference);
    const [only, ...others] = this.#places(reference);
    if (others.length === 0 && only !== undefined) return only;
    if (!this.#chosen.has(key)) await this.resolve(reference, options);
    return this.#chosen.get(key) as PullSource;
  }

  async *fetchBlob(
    reference: Reference,
    descriptor: Descriptor,
    options: BlobOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const source = await this.#source(reference, options);
    const client = await this.#clients.at(source, options);
    const own = blobRequest(source.reference, descriptor);
    const elsewhere = (descriptor.urls ?? []).filter((url) => /^https?:\/\//.test(url) && URL.canParse(url));
    const places = [own, ...elsewhere.map((url) => ({ ...own, path: new URL(url) }))];
    if (isForeign(descriptor)) places.push(...places.splice(0, 1));
    yield* firstThatHasIt(client, places, descriptor, options);
  }

  /** From the registry itself alone. */
  async *fetchParts(
    reference: Reference,
    descriptor: Descriptor,
    parts: readonly BlobPart[],
    options: TransportOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const source = await this.#source(reference, options);
    const client = await this.#clients.at(source, options);
    const { streamParts } = await import("./part-stream.ts");
    yield* streamParts(client, blobRequest(source.reference, descriptor), parts, options);
  }
}

/** Whether a layer's content is where its vendor serves it rather than in the registry. */
function isForeign({ mediaType }: Descriptor): boolean {
  return /foreign|nondistributable/.test(mediaType);
}

function withMirrors(failure: unknown, mirrors: readonly string[]): GalleyError {
  const error = toGalleyError(failure, { op: "pull" });
  return restated(error, {
    message: `(Mirrors also failed: ${mirrors.join(" ")}): ${error.message}`,
    op: error.op ?? "pull",
    subject: error.subject ?? "",
  });
}

/** What a manifest is asked for by. */
function tagOf({ digest, tag }: Reference): string {
  return digest ?? tag ?? "latest";
}

function scopeOf(reference: Reference): string {
  return `repository:${reference.path}:pull`;
}

function manifestRequest(reference: Reference, what: string): ApiRequest {
  const subject = familiarName(
    what === reference.tag ? reference : { ...reference, ...(what.includes(":") ? { digest: what } : {}) },
  );
  const path = `${reference.path}/manifests/${what}`;
  // A digest makes up for a redirect to plain HTTP, a tag does not.
  return {
    method: "GET",
    path,
    op: "pull",
    subject,
    scope: scopeOf(reference),
    headers: { accept },
    allowDowngrade: what.includes(":"),
  };
}

function blobRequest(reference: Reference, { digest }: Descriptor): ApiRequest {
  const path = `${reference.path}/blobs/${digest}`;
  return { method: "GET", path, op: "download", subject: digest, scope: scopeOf(reference), allowDowngrade: true };
}

/** What the headers of a HEAD answer say, if they say everything. */
function announcedDescriptor({ response }: HttpAnswer, reference: Reference): Descriptor | undefined {
  const digest = response.headers.get("docker-content-digest");
  const size = Number(response.headers.get("content-length") ?? Number.NaN);
  if (!response.ok || digest === null || !(size > 0)) return undefined;
  if (reference.digest !== undefined && reference.digest !== digest) return undefined;
  return { mediaType: mediaTypeOf(response), digest, size };
}

function mediaTypeOf(response: Response): string {
  return (response.headers.get("content-type") ?? "").split(";", 1)[0]?.trim() ?? "";
}

interface ReceivedManifest {
  readonly mediaType: string;
  readonly content: Uint8Array;
  /** The digest that the registry says it has. */
  readonly announced: string | undefined;
}

function readManifest(client: RegistryClient, api: ApiRequest, options: TransportOptions): Promise<ReceivedManifest> {
  return client.retrying(options, async () => {
    const answer = await client.attempt(api, options);
    const content = await readCapped(answer.body(), MAX_MANIFEST, api.subject);
    const announced = answer.response.headers.get("docker-content-digest") ?? undefined;
    return { mediaType: mediaTypeOf(answer.response), content, announced };
  });
}

/** The descriptor of what was received, which must be what was asked for, and what the registry says that it is. */
function checkedDescriptor(reference: Reference, { mediaType, content, announced }: ReceivedManifest): Descriptor {
  const digest = reference.digest ?? announced ?? digestOf(content);
  verifyBytes(content, { digest });
  return { mediaType, digest, size: content.length };
}

async function* firstThatHasIt(
  client: RegistryClient,
  places: readonly ApiRequest[],
  descriptor: Descriptor,
  options: BlobOptions,
): AsyncGenerator<Uint8Array> {
  for (const [index, api] of places.entries()) {
    let offset = options.offset ?? 0;
    try {
      for await (const chunk of streamBlob(client, api, descriptor, { ...options, offset })) {
        offset += chunk.length;
        yield chunk;
      }
      return;
    } catch (fault) {
      const elsewhere = fault instanceof RegistryError && index + 1 < places.length;
      if (!elsewhere || offset > (options.offset ?? 0)) throw fault;
    }
  }
  throw new GalleyError("not_found", "the registry does not hold this content", {
    op: "download",
    subject: descriptor.digest,
  });
}
