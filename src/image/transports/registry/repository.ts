import { GalleyError } from "../../../errors.ts";
import { type Descriptor, type ImageIndex, mediaTypes } from "../../../spec/image.ts";
import { digestOf } from "../../digest.ts";
import { canonicalName, type Reference } from "../../reference.ts";
import type { PullSource } from "../../registries/find-rule.ts";
import { readCapped } from "../../verify/read.ts";
import { MAX_MANIFEST, type TransportOptions } from "../transport.ts";
import type { ApiRequest, RegistryClient } from "./client.ts";
import type { RegistryClients } from "./clients.ts";
import { RegistryError } from "./faults.ts";
import type { HttpAnswer } from "./request.ts";

/** Tags asked for at a time; registries give fewer as they like. */
const PAGE = 1000;

/** Pages of one list that are read: a registry that never ends would be followed for ever. */
const MAX_PAGES = 10_000;

/** Bytes of one page of a list. */
const MAX_PAGE = 16 << 20;

/** All that can be asked of one repository beside its images (distribution-spec 1.1, content discovery and management). */
export class Repository {
  /** @param source the place that the reference was found at; without it the reference's own registry is asked */
  constructor(
    private readonly clients: RegistryClients,
    private readonly reference: Reference,
    private readonly source?: PullSource,
  ) {}

  /** All tags, in the registry's order; of the first place that tells, where registries.conf has several. */
  async tags(options: TransportOptions = {}): Promise<readonly string[]> {
    const places = this.source === undefined ? this.clients.sources(this.reference) : [this.source];
    for (const [position, place] of places.entries()) {
      try {
        return await new Repository(this.clients, place.reference, place).#tags(options);
      } catch (fault) {
        if (!(fault instanceof RegistryError) || position + 1 === places.length) throw fault;
      }
    }
    return [];
  }

  async #tags(options: TransportOptions): Promise<readonly string[]> {
    const tags: string[] = [];
    for await (const page of this.#pages<{ tags?: unknown }>(`tags/list?n=${PAGE}`, options)) {
      if (Array.isArray(page.tags)) tags.push(...page.tags.filter((tag): tag is string => typeof tag === "string"));
    }
    return tags;
  }

  /** Removes a manifest, and with it every tag that leads to it. */
  async delete(digest: string, options: TransportOptions = {}): Promise<void> {
    const client = await this.clients.of(this.reference, options);
    const api = this.#request("DELETE", `manifests/${digest}`, "pull,push,delete");
    await client.retrying(options, async () => (await client.attempt({ ...api, op: "delete" }, options)).discard());
  }

  /**
   * Manifests that name `digest` as their subject. Registries without the referrers API keep them as an index under the tag
   * `ALGORITHM-HEX`. An `artifactType` is a wish that the registry may not know: the answer is filtered here.
   */
  async referrers(digest: string, options: ReferrerOptions = {}): Promise<readonly Descriptor[]> {
    const { artifactType } = options;
    const query = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
    const found =
      (await this.#announced(`referrers/${digest}${query}`, options)) ?? (await this.#tagged(digest, options));
    return found.filter((one) => artifactType === undefined || one.artifactType === artifactType);
  }

  async #announced(path: string, options: TransportOptions): Promise<readonly Descriptor[] | undefined> {
    const found: Descriptor[] = [];
    try {
      for await (const page of this.#pages<Partial<ImageIndex>>(path, options)) found.push(...(page.manifests ?? []));
      return found;
    } catch (fault) {
      if (fault instanceof RegistryError && [400, 404, 405].includes(fault.status ?? 0)) return undefined;
      throw fault;
    }
  }

  async #tagged(digest: string, options: TransportOptions): Promise<readonly Descriptor[]> {
    try {
      for await (const page of this.#pages<Partial<ImageIndex>>(`manifests/${referrersTag(digest)}`, options)) {
        return page.manifests ?? [];
      }
    } catch (fault) {
      if (!(fault instanceof RegistryError) || fault.status !== 404) throw fault;
    }
    return [];
  }

  /** Puts a manifest under a tag or digest, and sees to it that its subject, if it has one, leads to it. */
  async putManifest(
    bytes: Uint8Array,
    descriptor: Descriptor,
    what: string,
    options: TransportOptions = {},
  ): Promise<void> {
    const client = await this.clients.of(this.reference, options);
    const answer = await this.#put(client, bytes, descriptor.mediaType, what, options);
    const known = answer.response.headers.has("oci-subject");
    answer.discard();
    const { subject, ...about } = subjectOf(bytes);
    if (subject === undefined || known) return;
    const found = await this.#tagged(subject.digest, options);
    if (found.some(({ digest }) => digest === descriptor.digest)) return;
    const { mediaType, digest, size } = descriptor;
    const manifests = [...found, { mediaType, digest, size, ...about }];
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
    (await this.#put(client, index, mediaTypes.ociIndex, referrersTag(subject.digest), options)).discard();
  }

  #put(
    client: RegistryClient,
    bytes: Uint8Array,
    mediaType: string,
    what: string,
    options: TransportOptions,
  ): Promise<HttpAnswer> {
    const api = this.#request("PUT", `manifests/${what}`, "pull,push");
    const headers = { "content-type": mediaType };
    return client.retrying(options, async () => {
      const answer = await client.attempt({ ...api, op: "push", headers, body: bytes }, options);
      const said = answer.response.headers.get("docker-content-digest");
      if (said === null || !said.startsWith("sha256:") || said === digestOf(bytes)) return answer;
      answer.discard();
      throw new GalleyError("data_loss", `the registry keeps the manifest as ${said}, which is another one`, {
        op: "push",
        subject: api.subject,
      });
    });
  }

  #request(method: "GET" | "PUT" | "DELETE", path: string, actions: string): ApiRequest {
    const { path: repository } = this.reference;
    const scope = `repository:${repository}:${actions}`;
    const subject = canonicalName(this.reference);
    return { method, path: `${repository}/${path}`, op: "list", subject, scope };
  }

  /** Documents that follow one another. */
  async *#pages<T>(path: string, options: TransportOptions): AsyncGenerator<T> {
    const { source } = this;
    const client = await (source === undefined
      ? this.clients.of(this.reference, options)
      : this.clients.at(source, options));
    const headers = { accept: `${mediaTypes.ociIndex}, application/json` };
    yield* pagesFrom<T>(client, { ...this.#request("GET", path, "pull"), headers }, options);
  }
}

/** Documents that follow one another by `Link: <URL>; rel="next"` (RFC 8288), each a JSON object of at most 16 MiB. */
export async function* pagesFrom<T>(
  client: RegistryClient,
  first: ApiRequest,
  options: TransportOptions,
): AsyncGenerator<T> {
  let api: ApiRequest | undefined = first;
  const seen = new Set<string>();
  for (let count = 0; api !== undefined; count++) {
    const asked: ApiRequest = api;
    if (count === MAX_PAGES || seen.has(String(asked.path))) throw endless(first.subject);
    seen.add(String(asked.path));
    const { page, next } = await client.retrying(options, () => readPage<T>(client, asked, options));
    yield page;
    api = next === undefined ? undefined : { ...asked, path: next, own: true };
  }
}

export interface ReferrerOptions extends TransportOptions {
  /** Only those of this type. */
  readonly artifactType?: string;
}

/** The tag under which registries without the referrers API keep the list (distribution-spec 1.1, "Referrers Tag Schema"). */
export function referrersTag(digest: string): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

interface Page<T> {
  readonly page: T;
  readonly next: URL | undefined;
}

async function readPage<T>(client: RegistryClient, api: ApiRequest, options: TransportOptions): Promise<Page<T>> {
  const answer = await client.attempt(api, options);
  const bytes = await readCapped(answer.body(), MAX_PAGE, api.subject);
  const link = /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(answer.response.headers.get("link") ?? "")?.[1];
  const here = new URL(answer.response.url === "" ? client.parts.base : answer.response.url);
  const next = link === undefined || !URL.canParse(link, here.href) ? undefined : client.located(link, here);
  try {
    const page: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof page === "object" && page !== null) return { page: page as T, next };
  } catch {
    // The same fault as JSON that is no object.
  }
  throw new GalleyError("data_loss", "the registry's list is not a JSON object", { op: "list", subject: api.subject });
}

function endless(subject: string): GalleyError {
  return new GalleyError("resource_exhausted", "the registry's list does not end", { op: "list", subject });
}

/** What a referrers list says of a manifest beside its descriptor, and its subject. */
function subjectOf(bytes: Uint8Array): {
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
} {
  if (bytes.length > MAX_MANIFEST || !Buffer.from(bytes).includes('"subject"')) return {};
  const { subject, artifactType, config, annotations } = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
    subject?: Descriptor;
    artifactType?: string;
    config?: Descriptor;
    annotations?: Record<string, string>;
  };
  const type = artifactType ?? config?.mediaType;
  return {
    ...(typeof subject?.digest === "string" ? { subject } : {}),
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}
