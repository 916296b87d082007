import { GalleyError } from "../../../errors.ts";
import { type Descriptor, mediaTypes } from "../../../spec/image.ts";
import { digestOf } from "../../digest.ts";
import { familiarName, type Reference } from "../../reference.ts";
import type { RegistryCredentials } from "../../types.ts";
import { readCapped, tooLarge, verifyBytes } from "../../verify/read.ts";
import { type BlobOptions, MAX_MANIFEST, type Transport, type TransportOptions } from "../transport.ts";
import { Authorizer } from "./authorizer.ts";
import { streamBlob } from "./blob-stream.ts";
import type { Environment } from "./certificates.ts";
import { type ApiRequest, RegistryClient } from "./client.ts";
import { type Exchange, openConnections } from "./connections.ts";
import { findCredentials } from "./credentials.ts";
import { findEndpoint } from "./endpoint.ts";
import { RegistryError } from "./faults.ts";
import type { HttpAnswer } from "./request.ts";
import { fetchToken } from "./token.ts";

export interface RegistryOptions {
  /** Replace the logins of the user's files. */
  readonly credentials?: RegistryCredentials | undefined;
  /** The process's own by default. */
  readonly env?: Environment;
  /** Real connections by default. */
  readonly exchange?: Exchange;
  readonly sleep?: (seconds: number, signal?: AbortSignal) => Promise<void>;
}

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
  readonly #clients = new Map<string, Promise<RegistryClient>>();
  readonly #env: Environment;
  readonly #exchange: Exchange;

  constructor(private readonly options: RegistryOptions = {}) {
    this.#env = options.env ?? process.env;
    this.#exchange = options.exchange ?? openConnections(this.#env);
  }

  async resolve(reference: Reference, options: TransportOptions = {}): Promise<Descriptor> {
    const client = await this.#client(reference, options);
    const what = reference.digest ?? reference.tag ?? "latest";
    const api = manifestRequest(reference, what);
    const answer = await client.retrying(options, () =>
      client.attempt({ ...api, method: "HEAD" }, options, withoutHead),
    );
    const announced = announcedDescriptor(answer, reference);
    answer.discard();
    return announced ?? inlineDescriptor(reference, await readManifest(client, api, options));
  }

  async fetchManifest(
    reference: Reference,
    descriptor: Descriptor,
    options: TransportOptions = {},
  ): Promise<Uint8Array> {
    if (descriptor.size > MAX_MANIFEST) throw tooLarge(descriptor.digest, MAX_MANIFEST);
    const { data } = descriptor;
    const fetched = async () => {
      const client = await this.#client(reference, options);
      return (await readManifest(client, manifestRequest(reference, descriptor.digest), options)).content;
    };
    const content = data === undefined ? await fetched() : Buffer.from(data, "base64");
    verifyBytes(content, descriptor);
    return content;
  }

  async *fetchBlob(
    reference: Reference,
    descriptor: Descriptor,
    options: BlobOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const client = await this.#client(reference, options);
    const own = blobRequest(reference, descriptor);
    const elsewhere = (descriptor.urls ?? []).filter((url) => /^https?:\/\//.test(url) && URL.canParse(url));
    const foreign = /foreign|nondistributable/.test(descriptor.mediaType);
    const places = [own, ...elsewhere.map((url) => ({ ...own, path: new URL(url) }))];
    if (foreign) places.push(...places.splice(0, 1));
    yield* firstThatHasIt(client, places, descriptor, options);
  }

  #client(reference: Reference, { signal }: TransportOptions): Promise<RegistryClient> {
    // Logins may be kept for a part of a registry, so a client serves one repository.
    const key = `${reference.domain}/${reference.path}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = this.#open(reference, signal);
      this.#clients.set(key, client);
      client.catch(() => this.#clients.delete(key));
    }
    return client;
  }

  async #open({ domain, path }: Reference, signal: AbortSignal | undefined): Promise<RegistryClient> {
    const exchange = this.#exchange;
    const base = await findEndpoint(exchange, domain, signal);
    const { credentials, sleep } = this.options;
    const authorizer = new Authorizer({
      findCredentials: async () => credentials ?? (await findCredentials(domain, path, this.#env)),
      fetchToken: (request, stop) => fetchToken(exchange, request, base, stop),
    });
    return new RegistryClient({ base, exchange, authorizer, ...(sleep === undefined ? {} : { sleep }) });
  }
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
}

function readManifest(client: RegistryClient, api: ApiRequest, options: TransportOptions): Promise<ReceivedManifest> {
  return client.retrying(options, async () => {
    const answer = await client.attempt(api, options);
    const content = await readCapped(answer.body(), MAX_MANIFEST, api.subject);
    return { mediaType: mediaTypeOf(answer.response), content };
  });
}

function inlineDescriptor(reference: Reference, { mediaType, content }: ReceivedManifest): Descriptor {
  const digest = reference.digest ?? digestOf(content);
  verifyBytes(content, { digest });
  return { mediaType, digest, size: content.length, data: Buffer.from(content).toString("base64") };
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
