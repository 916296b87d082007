import { parseRange } from "../byte-range.ts";
import { type Call, type Route, repositoryOf, requireWritable } from "../context.ts";
import { checkedDigest } from "../names.ts";
import { Refusal } from "../refusal.ts";
import { parseRanges, severalRanges } from "../several-ranges.ts";

/** Blobs never change under their digest. */
const FOREVER = "max-age=31536000";

/** GET and HEAD of a blob (distribution-spec "Pulling blobs"), with ranges and conditions (RFC 9110). */
export const getBlob: Route = async (call) => {
  const { context, name, reference, request } = call;
  const { text: digest } = checkedDigest(reference);
  const repository = context.store.find(name)?.content;
  const size = repository?.claim(digest);
  if (repository === undefined || size === undefined) {
    const mirrored = await context.mirror?.blob(name, digest, request);
    if (mirrored !== undefined) return mirrored;
    throw blobUnknown(digest);
  }
  return fileAnswer(request, repository.pathOf(digest), { digest, size, mediaType: "application/octet-stream" });
};

/** DELETE of a blob. */
export const deleteBlob: Route = (call) => {
  requireWritable(call, "deletion");
  const { text: digest } = checkedDigest(call.reference);
  const { content } = repositoryOf(call);
  if (content.sizeOf(digest) === undefined) throw blobUnknown(digest);
  if (content.index.manifests.has(digest)) {
    throw new Refusal("UNSUPPORTED", "this is a manifest: delete it as one", { detail: { digest } });
  }
  content.unlink(digest);
  return new Response(null, { status: 202, headers: { "docker-content-digest": digest } });
};

/** What the headers of an answer say of the content. */
export interface Content {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
}

/** Headers of content, the same for GET and HEAD. */
export function contentHeaders({ digest, size, mediaType }: Content): Record<string, string> {
  return {
    "content-type": mediaType,
    "content-length": String(size),
    "docker-content-digest": digest,
    etag: `"${digest}"`,
    "accept-ranges": "bytes",
    "cache-control": FOREVER,
  };
}

/** Whether the client has the content already (If-None-Match). */
export function isKnown(request: Request, digest: string): boolean {
  const tags = request.headers.get("if-none-match");
  if (tags === null) return false;
  return tags.split(",").some((tag) => ["*", digest].includes(tag.trim().replace(/^W\//, "").replaceAll('"', "")));
}

/** Answers with a file, or the part of it that is asked for; the kernel moves the bytes. */
function fileAnswer(request: Request, path: string, content: Content): Response {
  const headers = contentHeaders(content);
  if (isKnown(request, content.digest))
    return new Response(null, { status: 304, headers: { etag: headers.etag ?? "" } });
  if (request.method === "HEAD") return new Response(null, { headers });
  const asked = rangeHeader(request, content.digest);
  const ranges = parseRanges(asked, content.size);
  if (ranges !== undefined) return severalRanges(path, content, ranges, headers);
  const range = parseRange(asked, content.size);
  if (range === undefined) return new Response(content.size === 0 ? new Uint8Array(0) : Bun.file(path), { headers });
  if (range === "unsatisfiable") {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${content.size}` } });
  }
  const { first, last } = range;
  return new Response(Bun.file(path).slice(first, last + 1), {
    status: 206,
    headers: {
      ...headers,
      "content-length": String(last + 1 - first),
      "content-range": `bytes ${first}-${last}/${content.size}`,
    },
  });
}

/** The range that is asked for, unless it is of other content than this (If-Range). */
function rangeHeader({ headers }: Request, digest: string): string | null {
  const condition = headers.get("if-range");
  return condition === null || condition === `"${digest}"` ? headers.get("range") : null;
}

function blobUnknown(digest: string): Refusal {
  return new Refusal("BLOB_UNKNOWN", "blob unknown to registry", { detail: { digest } });
}

/** The path of a blob for a Location header. */
export function blobLocation({ name }: Call, digest: string): string {
  return `/v2/${name}/blobs/${digest}`;
}
