import type { Call, Context, Route } from "./context.ts";
import { checkedName } from "./names.ts";
import { Refusal } from "./refusal.ts";
import { deleteBlob, getBlob } from "./routes/blobs.ts";
import { listReferrers, listRepositories, listTags } from "./routes/lists.ts";
import { deleteManifest, getManifest, putManifest } from "./routes/manifests.ts";
import { appendUpload, cancelUpload, finishUpload, getUpload, startUpload } from "./routes/uploads.ts";

type Methods = Readonly<Record<string, Route>>;

const ping: Route = () => Response.json({});

const manifests: Methods = { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest };
const blobs: Methods = { GET: getBlob, HEAD: getBlob, DELETE: deleteBlob };
const upload: Methods = { GET: getUpload, PATCH: appendUpload, PUT: finishUpload, DELETE: cancelUpload };

/** What may follow a repository's name (distribution-spec "Endpoints"); names may hold the same words, so the last one counts. */
const PATH =
  /^\/v2\/(.+)\/(?:(blobs\/uploads)\/?|(blobs\/uploads)\/([^/]+)|(blobs|manifests|referrers)\/([^/]+)|(tags\/list))$/;

/** Finds out what a request asks for and answers it. */
export function route(context: Context, request: Request): Response | Promise<Response> {
  const url = new URL(request.url);
  const found = find(decoded(url.pathname));
  if (found === undefined) throw new Refusal("UNSUPPORTED", "there is nothing at this path", { status: 404 });
  const answer = found.methods[request.method];
  if (answer === undefined) {
    const allow = Object.keys(found.methods).join(", ");
    throw new Refusal("UNSUPPORTED", `${request.method} means nothing here`, { headers: { allow } });
  }
  const call: Call = { context, request, name: found.name, reference: found.reference, query: url.searchParams };
  return answer(call);
}

interface Found {
  readonly methods: Methods;
  readonly name: string;
  readonly reference: string;
}

function find(path: string): Found | undefined {
  if (path === "/v2/" || path === "/v2") return { methods: { GET: ping, HEAD: ping }, name: "", reference: "" };
  if (path === "/v2/_catalog") return { methods: { GET: listRepositories }, name: "", reference: "" };
  const match = PATH.exec(path);
  if (match === null) return undefined;
  const [, name = "", uploads, , id, kind, reference = "", tags] = match;
  const methods = methodsOf(uploads ?? kind ?? tags ?? "upload");
  return { methods, name: checkedName(name), reference: id ?? reference };
}

function methodsOf(kind: string): Methods {
  if (kind === "blobs/uploads") return { POST: startUpload };
  if (kind === "blobs") return blobs;
  if (kind === "manifests") return manifests;
  if (kind === "referrers") return { GET: listReferrers };
  return kind === "tags/list" ? { GET: listTags } : upload;
}

/** Some clients escape the colon of digests. */
function decoded(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    throw new Refusal("NAME_INVALID", "the path is not well-formed");
  }
}
