import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import type { GalleyError } from "../../src/errors.ts";
import { digestOf } from "../../src/image/digest.ts";
import { parseReference, type Reference } from "../../src/image/reference.ts";
import type { NewBlob, Source } from "../../src/image/transports/place.ts";
import { RegistryClients } from "../../src/image/transports/registry/clients.ts";
import { RegistryDestination } from "../../src/image/transports/registry/registry-destination.ts";
import { Repository, referrersTag } from "../../src/image/transports/registry/repository.ts";
import { mediaTypes } from "../../src/spec/image.ts";

/** A registry in memory that fails as it is told. */
class Registry {
  readonly blobs = new Map<string, Uint8Array>();
  readonly manifests = new Map<string, string>();
  readonly uploads = new Map<string, Uint8Array>();
  readonly seen: string[] = [];
  /** Bytes of a PATCH that are kept before it fails with 503; one entry for each PATCH to be spoilt. */
  breaks: number[] = [];
  /** Uploads are forgotten when they break. */
  forgetful = false;
  mounts: "done" | "refused" = "refused";
  referrersApi = false;
  /** Every request needs a token for what it does; one serves so many requests. */
  tokenUses = Number.POSITIVE_INFINITY;
  asksForTokens = false;
  /** A repository for which the token service gives no token at all. */
  denied = "";
  /** It knows no HEAD. */
  headless = false;
  /** Places of uploads are told relative to where they are opened. */
  relative = false;
  readonly tokens: { readonly scopes: readonly string[]; left: number }[] = [];
  tagPages: readonly (readonly string[])[] = [];

  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const about = ["range", "content-range", "content-length"].flatMap((name) => request.headers.get(name) ?? []);
    this.seen.push([request.method, url.pathname + url.search, ...about].join(" "));
    if (url.pathname === "/v2/") return new Response("{}");
    if (url.pathname === "/token") return this.#issue(url.searchParams.getAll("scope"));
    if (this.asksForTokens && !this.#mayPass(request, url)) return this.#challenge(url);
    if (/\/blobs\/uploads\//.test(url.pathname)) return this.#upload(request, url);
    const [, repository, kind, key = ""] =
      /^\/v2\/(.+)\/(blobs|manifests|tags|referrers)\/(.+)$/.exec(url.pathname) ?? [];
    if (kind === "blobs" && this.headless) return new Response(null, { status: 405 });
    if (kind === "blobs") return new Response(null, { status: this.blobs.has(key) ? 200 : 404 });
    if (kind === "tags") return this.#tags(url, repository ?? "");
    if (kind === "referrers")
      return this.referrersApi ? Response.json({ manifests: [] }) : new Response("", { status: 404 });
    if (request.method === "PUT") {
      this.manifests.set(key, await request.text());
      return new Response("", { status: 201 });
    }
    if (request.method === "DELETE") return new Response("", { status: this.manifests.delete(key) ? 202 : 404 });
    const content = this.manifests.get(key);
    return content === undefined ? new Response("", { status: 404 }) : new Response(content);
  }

  #issue(scopes: readonly string[]): Response {
    if (scopes.some((scope) => scope.includes(`:${this.denied}:`))) return new Response("", { status: 403 });
    this.tokens.push({ scopes, left: this.tokenUses });
    return Response.json({ token: String(this.tokens.length - 1), expires_in: 300 });
  }

  #mayPass(request: Request, url: URL): boolean {
    const token = this.tokens[Number(request.headers.get("authorization")?.replace("Bearer ", "") ?? -1)];
    if (token === undefined || token.left-- <= 0) return false;
    const needed = ["repository:team/app:pull,push"];
    if (url.searchParams.has("from")) needed.push(`repository:${url.searchParams.get("from")}:pull`);
    return needed.every((scope) => token.scopes.includes(scope));
  }

  /** As registries do, it asks for less than a mount needs. */
  #challenge(url: URL): Response {
    const scope = "repository:team/app:pull";
    const challenge = `Bearer realm="${url.origin}/token",service="test",scope="${scope}"`;
    return new Response("", { status: 401, headers: { "www-authenticate": challenge } });
  }

  #tags(url: URL, repository: string): Response {
    const page = Number(url.searchParams.get("page") ?? 0);
    const more = page + 1 < this.tagPages.length;
    const headers: Record<string, string> = more
      ? { link: `</v2/${repository}/tags/list?page=${page + 1}>; rel="next"` }
      : {};
    return Response.json({ tags: this.tagPages[page] }, { headers });
  }

  async #upload(request: Request, url: URL): Promise<Response> {
    if (request.method === "POST") return this.#start(url);
    const id = url.pathname.split("/").at(-1) ?? "";
    const have = this.uploads.get(id);
    if (have === undefined) return new Response("", { status: 404 });
    const at = (bytes: Uint8Array) => ({ location: url.pathname, range: `0-${Math.max(0, bytes.length - 1)}` });
    if (request.method === "GET") return new Response(null, { status: 204, headers: at(have) });
    if (request.method === "DELETE") return new Response(null, { status: this.uploads.delete(id) ? 204 : 404 });
    const spoilt = request.method === "PATCH" ? this.breaks.shift() : undefined;
    const start = Number(/^(\d+)-/.exec(request.headers.get("content-range") ?? "")?.[1] ?? 0);
    if (request.method === "PATCH" && start !== have.length) return new Response("", { status: 416 });
    const bytes = Buffer.concat([have, new Uint8Array(await request.arrayBuffer())]);
    const kept = bytes.subarray(0, spoilt === undefined ? undefined : have.length + spoilt);
    this.uploads.set(id, kept);
    if (spoilt !== undefined) {
      if (this.forgetful) this.uploads.delete(id);
      return new Response("", { status: 503 });
    }
    if (request.method === "PATCH") return new Response("", { status: 202, headers: at(kept) });
    const digest = url.searchParams.get("digest") ?? "";
    if (digestOf(kept) !== digest) return new Response("", { status: 400 });
    this.blobs.set(digest, kept);
    return new Response("", { status: 201 });
  }

  #start(url: URL): Response {
    const mount = url.searchParams.get("mount");
    if (mount !== null && this.mounts === "done") return new Response("", { status: 201 });
    const id = crypto.randomUUID();
    this.uploads.set(id, new Uint8Array());
    const location = this.relative ? id : `/v2/any/blobs/uploads/${id}`;
    return new Response("", { status: 202, headers: { location } });
  }
}

let registry = new Registry();
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => registry.answer(request) });
afterAll(() => server.stop(true));
beforeEach(() => {
  registry = new Registry();
});

const waits: number[] = [];
const clients = () =>
  new RegistryClients({ env: { HOME: "/nonexistent" }, sleep: async (seconds) => void waits.push(seconds) });
const reference: Reference = parseReference(`127.0.0.1:${server.port}/team/app:1`);
const destination = () => new RegistryDestination(clients(), reference);
const large = crypto.getRandomValues(new Uint8Array(60_000)).slice();
const content = Buffer.concat(Array.from({ length: 60 }, () => large));

async function* from(bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}
const blob = (bytes: Uint8Array, known = true): NewBlob => ({
  mediaType: mediaTypes.ociLayerGzip,
  ...(known ? { expected: { digest: digestOf(bytes), size: bytes.length } } : {}),
  open: (offset) => from(bytes, offset),
});
const elsewhere: Source = {
  name: "there",
  reference: parseReference(`127.0.0.1:${server.port}/other/app:1`),
  document: () => Promise.reject(new Error("not asked")),
  blob: () => from(content, 0),
  close: async () => undefined,
};
const nowhere: Source = { name: "a file", document: elsewhere.document, blob: elsewhere.blob, close: elsewhere.close };
const methods = () => registry.seen.map((line) => line.split(" ", 1)[0]);

describe("a blob is uploaded", () => {
  test("in one PUT, where it is small", async () => {
    const small = content.subarray(0, 1000);
    await destination().writeBlob(blob(small));
    expect(registry.blobs.get(digestOf(small))?.length).toBe(1000);
    expect(methods()).toEqual(["GET", "POST", "PUT"]);
  });

  test("in a stream, where it is large, with its length", async () => {
    await destination().writeBlob(blob(content));
    expect(digestOf(registry.blobs.get(digestOf(content)) ?? "")).toBe(digestOf(content));
    expect(methods()).toEqual(["GET", "POST", "PATCH", "PUT"]);
    expect(registry.seen[2]).toEndWith(` ${content.length}`);
  });

  test("whose digest is known at its end only", async () => {
    const written = await destination().writeBlob(blob(content, false));
    expect(written).toEqual({ digest: digestOf(content), size: content.length });
    expect(registry.blobs.has(written.digest)).toBeTrue();
  });

  test("and goes on where the registry has it, after it broke", async () => {
    registry.breaks = [1_000_000, 500_000];
    await destination().writeBlob(blob(content));
    expect(digestOf(registry.blobs.get(digestOf(content)) ?? "")).toBe(digestOf(content));
    const patches = registry.seen.filter((line) => line.startsWith("PATCH"));
    expect(patches[1]).toContain(`1000000-${content.length - 1} ${content.length - 1_000_000}`);
    expect(patches[2]).toContain(`1500000-${content.length - 1}`);
  });

  test("from its beginning, where the registry has forgotten the upload, or the content cannot be had again", async () => {
    registry.breaks = [1_000_000];
    registry.forgetful = true;
    await destination().writeBlob(blob(content));
    expect(methods().filter((method) => method === "POST")).toHaveLength(2);
    registry.breaks = [1_000_000];
    registry.forgetful = false;
    const { digest } = await destination().writeBlob(blob(content, false));
    expect(digest).toBe(digestOf(content));
  });

  test("unless it is not what it should be: the registry does not get to decide", async () => {
    const wrong = { ...blob(content), open: (offset: number) => from(Buffer.alloc(content.length), offset) };
    const failure = await destination()
      .writeBlob(wrong)
      .catch((fault: GalleyError) => fault);
    expect((failure as GalleyError).code).toBe("data_loss");
    expect(registry.blobs.size).toBe(0);
  });

  test("unless it fails itself, which is told as it is and not tried again", async () => {
    const broken = {
      ...blob(content),
      async *open() {
        yield content.subarray(0, 100_000);
        while (!methods().includes("PATCH")) await Bun.sleep(1); // A request that has not begun need not be made.
        throw new Error("the disk is gone");
      },
    };
    await expect(destination().writeBlob(broken)).rejects.toThrow("the disk is gone");
    expect(methods().filter((method) => method === "PATCH")).toHaveLength(1);
  });

  test("until the registry stays broken", async () => {
    registry.breaks = Array.from({ length: 20 }, () => 0);
    const failure = await destination()
      .writeBlob(blob(content))
      .catch((fault: GalleyError) => fault);
    expect((failure as GalleyError).code).toBe("unavailable");
  });
});

test("a registry that cannot say what it has is sent everything", async () => {
  registry.headless = true;
  const descriptor = { mediaType: "x", digest: digestOf(content), size: content.length };
  expect(await destination().reuse(descriptor, nowhere)).toBe("absent");
});

test("an upload's place may be relative to where it was opened", async () => {
  registry.relative = true;
  await destination().writeBlob(blob(content));
  expect(registry.seen.find((seen) => seen.startsWith("PATCH"))).toStartWith("PATCH /v2/team/app/blobs/uploads/");
  expect(registry.blobs.size).toBe(1);
});

describe("a registry that asks for tokens", () => {
  test("is asked for those that pushing and mounting need", async () => {
    registry.asksForTokens = true;
    registry.mounts = "done";
    const to = destination();
    expect(await to.reuse({ mediaType: "x", digest: digestOf(content), size: content.length }, elsewhere)).toBe(
      "mounted",
    );
    await to.writeBlob(blob(content));
    expect(registry.blobs.size).toBe(1);
    expect(registry.tokens.map(({ scopes }) => scopes.length)).toEqual([3, 2]);
  });

  test("and gives none for the other repository gets the blob instead", async () => {
    registry.asksForTokens = true;
    registry.denied = "other/app";
    const to = destination();
    expect(await to.reuse({ mediaType: "x", digest: digestOf(content), size: content.length }, elsewhere)).toBe(
      "absent",
    );
    await to.writeBlob(blob(content));
    expect(registry.blobs.size).toBe(1);
  });

  test("whose tokens run out during an upload", async () => {
    registry.asksForTokens = true;
    registry.tokenUses = 1;
    await destination().writeBlob(blob(content));
    expect(digestOf(registry.blobs.get(digestOf(content)) ?? "")).toBe(digestOf(content));
  });
});

describe("a blob is not uploaded", () => {
  const descriptor = { mediaType: "x", digest: digestOf(content), size: content.length };
  test("that is there", async () => {
    registry.blobs.set(descriptor.digest, content);
    expect(await destination().reuse(descriptor, nowhere)).toBe("present");
  });

  test("that another repository of the registry has, which takes one request", async () => {
    registry.mounts = "done";
    expect(await destination().reuse(descriptor, elsewhere)).toBe("mounted");
    const query = `?mount=${encodeURIComponent(descriptor.digest)}&from=other%2Fapp`;
    expect(registry.seen.slice(1)).toEqual([expect.stringContaining(query)]);
  });

  test("that is there where mounts are refused: the upload in place of the mount is given up, and the next is asked for first", async () => {
    registry.blobs.set(descriptor.digest, content);
    const to = destination();
    expect(await to.reuse(descriptor, elsewhere)).toBe("present");
    expect(registry.uploads.size).toBe(0);
    expect(await to.reuse(descriptor, elsewhere)).toBe("present");
    expect(methods().slice(1)).toEqual(["POST", "HEAD", "DELETE", "HEAD"]);
  });

  test("by a mount that the registry refuses: the upload that it opened is used", async () => {
    const to = destination();
    expect(await to.reuse(descriptor, elsewhere)).toBe("absent");
    await to.writeBlob(blob(content));
    expect(methods().filter((method) => method === "POST")).toHaveLength(1);
    expect(registry.blobs.has(descriptor.digest)).toBeTrue();
  });
});

describe("a repository", () => {
  const repository = () => new Repository(clients(), reference);
  test("gives tags page by page, and a list that leads to itself is refused", async () => {
    registry.tagPages = [["a", "b"], ["c"], ["d"]];
    expect(await repository().tags()).toEqual(["a", "b", "c", "d"]);
    registry.tagPages = [[]];
    const loop = () =>
      Response.json({ tags: ["a"] }, { headers: { link: '</v2/team/app/tags/list?n=1000>; rel="next"' } });
    registry.answer = async () => loop();
    await expect(repository().tags()).rejects.toThrow("does not end");
  });

  test("keeps referrers in a tag where the registry has no such list", async () => {
    const subject = { mediaType: mediaTypes.ociManifest, digest: digestOf("subject"), size: 7 };
    const manifest = (type: string) =>
      Buffer.from(JSON.stringify({ schemaVersion: 2, artifactType: type, subject, annotations: { a: type } }));
    for (const type of ["sbom", "signature"]) {
      const bytes = manifest(type);
      const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
      await repository().putManifest(bytes, descriptor, descriptor.digest);
    }
    expect(registry.manifests.has(referrersTag(subject.digest))).toBeTrue();
    const found = await repository().referrers(subject.digest);
    expect(found.map(({ artifactType, annotations }) => [artifactType, annotations])).toEqual([
      ["sbom", { a: "sbom" }],
      ["signature", { a: "signature" }],
    ]);
    expect(await repository().referrers(subject.digest, { artifactType: "sbom" })).toHaveLength(1);
    expect(await repository().referrers(digestOf("nobody"))).toEqual([]);
  });

  test("asks the list where there is one", async () => {
    registry.referrersApi = true;
    expect(await repository().referrers(digestOf("subject"))).toEqual([]);
    expect(registry.seen.at(-1)).toContain("/referrers/sha256:");
  });

  test("deletes by digest", async () => {
    registry.manifests.set("sha256:1", "{}");
    await repository().delete("sha256:1");
    expect(registry.manifests.size).toBe(0);
  });
});
