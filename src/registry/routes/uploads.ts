import { lent } from "../../image/content/lent.ts";
import type { DigestAlgorithm } from "../../image/digest.ts";
import { parseChunkRange } from "../byte-range.ts";
import { type Call, type Route, requireWritable } from "../context.ts";
import { checkedDigest, checkedName } from "../names.ts";
import { Refusal } from "../refusal.ts";
import type { OpenRepository } from "../store/registry-store.ts";
import type { Upload } from "../store/upload.ts";
import { blobLocation } from "./blobs.ts";

/** POST: begins an upload, or takes the blob over from another repository, or takes it whole. */
export const startUpload: Route = async (call) => {
  requireWritable(call, "push");
  const { query } = call;
  const mount = query.get("mount");
  if (mount !== null && tryMount(call, checkedDigest(mount).text)) return created(call, mount);
  const digest = query.get("digest");
  const algorithm = digest === null ? algorithmOf(query.get("digest-algorithm")) : checkedDigest(digest).algorithm;
  const { uploads } = call.context.store.open(call.name);
  const id = uploads.create(algorithm);
  const upload = found(uploads.find(id), id);
  if (digest === null || mount !== null) return progress(call, id, upload, 202);
  try {
    await receive(call, upload);
    return await finish(call, id, upload, digest);
  } catch (failure) {
    // Nobody was told of it, so nobody can go on with it or give it up.
    await uploads.cancel(id, upload);
    throw failure;
  }
};

function algorithmOf(name: string | null): DigestAlgorithm {
  if (name === null || name === "sha256") return "sha256";
  if (name === "sha512") return name;
  throw new Refusal("DIGEST_INVALID", "unsupported digest algorithm", { detail: { algorithm: name.slice(0, 64) } });
}

/** A blob of the repository `from`, or of any where none is named. */
function tryMount({ context, name, query }: Call, digest: string): boolean {
  const from = query.get("from");
  const source = from === null ? context.store.pool : context.store.find(checkedName(from))?.content;
  return source?.sizeOf(digest) !== undefined && context.store.open(name).content.link(digest);
}

/** PATCH: the next chunk, or all that is left. */
export const appendUpload: Route = async (call) => {
  requireWritable(call, "push");
  const { upload } = uploadOf(call);
  checkPosition(call, upload);
  await receive(call, upload);
  return progress(call, call.reference, upload, 202);
};

/** GET: how much of it has arrived. */
export const getUpload: Route = (call) => progress(call, call.reference, uploadOf(call).upload, 204);

/** PUT: the last chunk, if any is left, and the digest of the whole. */
export const finishUpload: Route = async (call) => {
  requireWritable(call, "push");
  const { upload } = uploadOf(call);
  const { text: digest } = checkedDigest(call.query.get("digest") ?? "");
  checkPosition(call, upload);
  await receive(call, upload);
  return finish(call, call.reference, upload, digest);
};

/** DELETE: the upload is given up. */
export const cancelUpload: Route = async (call) => {
  const { repository, upload } = uploadOf(call);
  await repository.uploads.cancel(call.reference, upload);
  return new Response(null, { status: 204 });
};

function uploadOf(call: Call): { readonly repository: OpenRepository; readonly upload: Upload } {
  const repository = call.context.store.open(call.name);
  return { repository, upload: found(repository.uploads.find(call.reference), call.reference) };
}

function found(upload: Upload | undefined, id: string): Upload {
  if (upload !== undefined) return upload;
  throw new Refusal("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", { detail: { id: id.slice(0, 64) } });
}

/** Chunks come in order: one that begins elsewhere than where the last one ended is refused, and the client told where that was. */
function checkPosition(call: Call, upload: Upload): void {
  const { request, reference } = call;
  const header = request.headers.get("content-range");
  if (header === null) return;
  const range = parseChunkRange(header);
  const length = request.headers.get("content-length");
  const sized = range !== undefined && (length === null || Number(length) === range.last + 1 - range.first);
  if (range !== undefined && !sized) {
    throw new Refusal("SIZE_INVALID", `the chunk is of ${length} bytes, which is not what ${header} says`);
  }
  if (range?.first === upload.offset) return;
  throw new Refusal("BLOB_UPLOAD_INVALID", `the next chunk begins at ${upload.offset}`, {
    status: 416,
    headers: uploadHeaders(call, reference, upload),
  });
}

async function receive({ request }: Call, upload: Upload): Promise<void> {
  if (request.body !== null) await upload.append(lent(request.body));
}

async function finish(call: Call, id: string, upload: Upload, digest: string): Promise<Response> {
  const { uploads } = call.context.store.open(call.name);
  if (await uploads.finish(id, upload, digest)) return created(call, digest);
  throw new Refusal("DIGEST_INVALID", "provided digest did not match uploaded content", { detail: { digest } });
}

function created(call: Call, digest: string): Response {
  const headers = { location: blobLocation(call, digest), "docker-content-digest": digest };
  return new Response(null, { status: 201, headers });
}

function progress(call: Call, id: string, upload: Upload, status: 202 | 204): Response {
  return new Response(null, { status, headers: uploadHeaders(call, id, upload) });
}

function uploadHeaders({ name }: Call, id: string, { offset }: Upload): Record<string, string> {
  return {
    location: `/v2/${name}/blobs/uploads/${id}`,
    // An upload without a byte has no last one; docker's registry says this too.
    range: `0-${Math.max(0, offset - 1)}`,
    "docker-upload-uuid": id,
  };
}
