import type { GalleyError } from "../errors.ts";
import { gathered } from "../image/content/gathered.ts";
import { Ingest } from "../image/content/ingest.ts";
import { readManifest } from "./manifest-document.ts";
import { Refusal } from "./refusal.ts";
import { contentHeaders } from "./routes/blobs.ts";
import { keepManifest } from "./routes/manifests.ts";
import type { RegistryStore } from "./store/registry-store.ts";
import { isDigestReference, type Upstream } from "./upstream.ts";

/** Failures of the other registry that what is here makes up for. */
const passing: ReadonlySet<string> = new Set(["unavailable", "deadline_exceeded", "unknown"]);

/**
 * Another registry, of which this one keeps what it was once asked for. Tags are asked for each time, and what is here is given when the
 * other one does not answer. A blob reaches its first reader while it is being kept; others that want it meanwhile read along.
 */
export class Mirror {
  readonly #coming = new Map<string, Promise<Ingest>>();

  constructor(
    private readonly store: RegistryStore,
    private readonly upstream: Upstream,
  ) {}

  /** Sees to it that a manifest is here as it is there, if it is there. */
  async bringManifest(name: string, reference: string): Promise<void> {
    const local = this.store.find(name)?.content.index;
    if (isDigestReference(reference) && local?.manifests.has(reference)) return;
    try {
      const found = await this.upstream.resolve(name, reference);
      const tags = isDigestReference(reference) ? [] : [reference];
      if (local?.manifests.has(found.digest) && tags.every((tag) => local.tags.get(tag) === found.digest)) return;
      const bytes = await this.upstream.manifest(name, found);
      await keepManifest(
        this.store.open(name).content,
        bytes,
        found.digest,
        readManifest(bytes, found.mediaType),
        tags,
      );
    } catch (failure) {
      const kept = local?.tags.has(reference) === true;
      if (passing.has((failure as GalleyError).code) && kept) return;
      throw asRefusal(failure, new Refusal("MANIFEST_UNKNOWN", "manifest unknown to registry"));
    }
  }

  /** Answers a request for a blob that is not here; `undefined` where it is not there either. */
  async blob(name: string, digest: string, request: Request): Promise<Response | undefined> {
    const size = await this.upstream.blobSize(name, digest);
    if (size === undefined) return undefined;
    const headers = contentHeaders({ digest, size, mediaType: "application/octet-stream" });
    if (request.method === "HEAD") return new Response(null, { headers });
    const ingest = await this.#fetch(name, digest, size);
    // The types lack a body that is iterated over, which Bun takes.
    return new Response(ingest.follow() as unknown as ReadableStream<Uint8Array>, { headers });
  }

  #fetch(name: string, digest: string, size: number): Promise<Ingest> {
    const known = this.#coming.get(digest);
    if (known !== undefined) return known;
    const ingest = Ingest.open(this.store.pool, { digest, size });
    this.#coming.set(digest, ingest);
    void ingest
      .then((opened) => this.#fill(opened, name, digest, size))
      .catch(() => undefined) // Who reads is told by the ingest; nobody else is there to be told.
      .finally(() => this.#coming.delete(digest));
    return ingest;
  }

  async #fill(ingest: Ingest, name: string, digest: string, size: number): Promise<void> {
    try {
      const coming = this.upstream.blob(name, { digest, size }, ingest.offset);
      for await (const chunk of gathered(coming)) await ingest.write(chunk);
      await ingest.commit();
      this.store.open(name).content.link(digest);
    } catch (failure) {
      await ingest.fail(failure, { keep: (failure as GalleyError).code !== "data_loss" });
    }
  }

  /** The other registry's tags of a repository; `undefined` where it does not answer. */
  async tags(name: string): Promise<readonly string[] | undefined> {
    try {
      return [...(await this.upstream.tags(name))].sort();
    } catch (failure) {
      if (passing.has((failure as GalleyError).code)) return undefined;
      throw asRefusal(failure, new Refusal("NAME_UNKNOWN", "repository name not known to registry"));
    }
  }
}

function asRefusal(failure: unknown, missing: Refusal): unknown {
  return (failure as GalleyError).code === "not_found" ? missing : failure;
}
