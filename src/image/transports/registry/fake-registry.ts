import { digestOf } from "../../digest.ts";
import type { Exchange } from "./connections.ts";

/** For tests: a request as the fake saw it. */
export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}

/** For tests: what the fake answers, or `undefined` to pass the request on to the next handler. */
export type Handler = (seen: Seen) => Response | undefined | Promise<Response | undefined>;

/** For tests: an exchange without a network. The first handler that answers wins; without one the answer is 404. */
export function fakeExchange(...handlers: readonly Handler[]): { readonly exchange: Exchange; readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const exchange: Exchange = async (url, init) => {
    init.signal?.throwIfAborted();
    const request = {
      method: init.method ?? "GET",
      url,
      headers: new Headers(init.headers),
      body: String(init.body ?? ""),
    };
    seen.push(request);
    for (const handler of handlers) {
      const response = await handler(request);
      if (response !== undefined) return response;
    }
    return new Response(JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] }), {
      status: 404,
    });
  };
  return { exchange, seen };
}

/** For tests: answers below `/v2/NAME/` from memory: manifests by tag and digest, blobs by digest and range. */
export function serveContent(
  manifests: Readonly<Record<string, { readonly type: string; readonly content: string }>>,
  blobs: readonly Uint8Array[] = [],
): Handler {
  const byDigest = new Map(blobs.map((blob) => [digestOf(blob), blob]));
  return ({ method, url, headers }) => {
    if (url.pathname === "/v2/") return new Response("{}");
    const [, kind, key = ""] = /\/(manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
    const blob = kind === "blobs" ? byDigest.get(key) : undefined;
    if (blob !== undefined) return rangeOf(blob, headers.get("range"));
    const entry = Object.entries(manifests).find(([tag, { content }]) => tag === key || digestOf(content) === key);
    if (kind !== "manifests" || entry === undefined) return undefined;
    const { type, content } = entry[1];
    const described = { "content-type": type, "docker-content-digest": digestOf(content) };
    const length = { "content-length": String(Buffer.byteLength(content)) };
    return new Response(method === "HEAD" ? null : content, { headers: { ...described, ...length } });
  };
}

function rangeOf(blob: Uint8Array, range: string | null): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) return new Response(new Uint8Array(blob));
  const headers = { "content-range": `bytes ${start}-${blob.length - 1}/${blob.length}` };
  return new Response(new Uint8Array(blob.subarray(start)), { status: 206, headers });
}

/** For tests: a body that gives some bytes and then breaks as a cut connection does. */
export function cutBody(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let given = false;
  return new ReadableStream({
    pull(controller) {
      if (given) controller.error(Object.assign(new Error("the socket was closed"), { code: "ECONNRESET" }));
      else controller.enqueue(bytes);
      given = true;
    },
  });
}
