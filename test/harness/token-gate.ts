import type { Request } from "./http-socket.ts";

/** Who gets a token, and how long it lasts. */
export interface TokenOptions {
  /** Absent: anyone gets one. */
  readonly user?: string;
  readonly password?: string;
  /** How many requests a token serves before it counts as expired; default all. */
  readonly uses?: number;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/**
 * Bearer authentication as registries do it (distribution-spec, "token authentication"): a challenge that names the realm,
 * the service and the scope, and tokens at `/token`. Gives undefined for a request that may pass.
 */
export function tokenGate(options: TokenOptions): (request: Request) => Answer | undefined {
  const left = new Map<string, number>();
  return (request) => {
    if (request.path.startsWith("/token")) return issue(request, options, left);
    const token = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    const uses = left.get(token) ?? 0;
    left.set(token, uses - 1);
    return uses > 0 ? undefined : challenge(request);
  };
}

function issue(request: Request, options: TokenOptions, left: Map<string, number>): Answer {
  const wanted = `Basic ${btoa(`${options.user}:${options.password}`)}`;
  if (options.user !== undefined && request.headers.get("authorization") !== wanted) {
    return json(401, { errors: [{ code: "UNAUTHORIZED", message: "wrong name or password" }] });
  }
  const token = crypto.randomUUID();
  left.set(token, options.uses ?? Number.POSITIVE_INFINITY);
  return json(200, { token, expires_in: 300 });
}

function challenge(request: Request): Answer {
  const repository = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(request.path)?.[1];
  const scope = repository === undefined ? "" : `,scope="repository:${repository}:pull"`;
  const answer = json(401, { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] });
  const realm = `http://${request.headers.get("host")}/token`;
  answer.headers.set("www-authenticate", `Bearer realm="${realm}",service="test"${scope}`);
  return answer;
}

function json(status: number, value: unknown): Answer {
  const body = Buffer.from(JSON.stringify(value));
  const headers = new Headers({ "content-type": "application/json", "content-length": String(body.length) });
  return { status, headers, body };
}
