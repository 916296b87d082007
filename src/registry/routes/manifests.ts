import { digestOf, tryParseDigest } from "../../image/digest.ts";
import { MAX_MANIFEST } from "../../image/transports/transport.ts";
import { type Call, type Route, repositoryOf, requireWritable } from "../context.ts";
import { type ReceivedManifest, readManifest } from "../manifest-document.ts";
import { checkedDigest, isTag } from "../names.ts";
import { Refusal } from "../refusal.ts";
import type { Repository } from "../store/repository.ts";
import { type Manifest, withManifest, withoutManifest, withoutTag } from "../store/repository-index.ts";
import { contentHeaders, isKnown } from "./blobs.ts";

/** GET and HEAD of a manifest by tag or digest (distribution-spec "Pulling manifests"). */
export const getManifest: Route = async (call) => {
  const { context, name, reference, request } = call;
  await context.mirror?.bringManifest(name, reference);
  const repository = context.store.find(name)?.content;
  const manifest = repository === undefined ? undefined : manifestOf(repository, reference);
  if (repository === undefined || manifest === undefined) throw manifestUnknown(reference);
  const headers = contentHeaders(manifest);
  // A tag may lead elsewhere tomorrow.
  if (isTag(reference)) delete headers["cache-control"];
  if (isKnown(request, manifest.digest))
    return new Response(null, { status: 304, headers: { etag: headers.etag ?? "" } });
  if (request.method === "HEAD") return new Response(null, { headers });
  return new Response(new Uint8Array(repository.read(manifest.digest)), { headers });
};

function manifestOf({ index }: Repository, reference: string): Manifest | undefined {
  return index.manifests.get(isTag(reference) ? (index.tags.get(reference) ?? "") : checkedDigest(reference).text);
}

/** PUT of a manifest (distribution-spec "Pushing Manifests"); by digest, tags may be given as `?tag=`. */
export const putManifest: Route = async (call) => {
  requireWritable(call, "push");
  const { context, name, reference, request } = call;
  const given = isTag(reference) ? undefined : checkedDigest(reference);
  const tags = given === undefined ? [reference] : call.query.getAll("tag");
  if (!tags.every(isTag)) throw new Refusal("MANIFEST_INVALID", "a tag is malformed", { detail: { tags } });
  const bytes = await readBody(request);
  const digest = digestOf(bytes, given?.algorithm);
  if (given !== undefined && digest !== given.text) {
    throw new Refusal("DIGEST_INVALID", "provided digest did not match uploaded content", { detail: { digest } });
  }
  const received = readManifest(bytes, request.headers.get("content-type"));
  const { content } = context.store.open(name);
  checkBlobs(content, received);
  await keepManifest(content, bytes, digest, received, tags);
  return created(call, digest, received, given === undefined ? [] : tags);
};

/** Puts a manifest into a repository, with tags that lead to it. Resolves when all is on the disk. */
export async function keepManifest(
  repository: Repository,
  bytes: Uint8Array,
  digest: string,
  { mediaType, subject }: ReceivedManifest,
  tags: readonly string[],
): Promise<void> {
  repository.store(bytes, digest);
  const manifest = { digest, mediaType, size: bytes.length, ...(subject === undefined ? {} : { subject }) };
  await repository.change(withManifest(manifest, tags));
}

async function readBody(request: Request): Promise<Uint8Array> {
  const tooLarge = () =>
    new Refusal("MANIFEST_INVALID", `manifests of more than ${MAX_MANIFEST} bytes are not accepted`, { status: 413 });
  if (Number(request.headers.get("content-length")) > MAX_MANIFEST) throw tooLarge();
  const bytes = await request.bytes();
  if (bytes.length > MAX_MANIFEST) throw tooLarge();
  return bytes;
}

function checkBlobs(repository: Repository, { blobs }: ReceivedManifest): void {
  const missing = blobs.find(({ digest, size }) => repository.claim(digest) !== size);
  if (missing === undefined) return;
  throw new Refusal("MANIFEST_BLOB_UNKNOWN", "manifest references a manifest or blob unknown to registry", {
    detail: { digest: missing.digest, size: missing.size },
  });
}

function created({ name }: Call, digest: string, { subject }: ReceivedManifest, tags: readonly string[]): Response {
  const headers = {
    location: `/v2/${name}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(subject === undefined ? {} : { "oci-subject": subject }),
    ...(tags.length === 0 ? {} : { "oci-tag": tags.join(", ") }),
  };
  return new Response(null, { status: 201, headers });
}

/** DELETE of a tag, or of a manifest with all its tags. */
export const deleteManifest: Route = async (call) => {
  requireWritable(call, "deletion");
  const { content } = repositoryOf(call);
  const { reference } = call;
  const manifest = manifestOf(content, reference);
  if (manifest === undefined) throw manifestUnknown(reference);
  if (isTag(reference)) await content.change(withoutTag(reference));
  else {
    await content.change(withoutManifest(manifest.digest));
    content.unlink(manifest.digest);
  }
  return new Response(null, { status: 202 });
};

function manifestUnknown(reference: string): Refusal {
  const what = tryParseDigest(reference) === undefined ? { tag: reference.slice(0, 128) } : { digest: reference };
  return new Refusal("MANIFEST_UNKNOWN", "manifest unknown to registry", { detail: what });
}
