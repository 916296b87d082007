import { GalleyError } from "../../../errors.ts";
import type { RegistryCredentials } from "../../types.ts";
import { readCapped } from "../../verify/read.ts";
import { type Exchange, isLoopback } from "./connections.ts";
import { answerFault, RegistryError } from "./faults.ts";
import { type HttpAnswer, type HttpRequest, send } from "./request.ts";

/** A bearer token and the time it ends, in milliseconds since 1970. */
export interface Token {
  readonly value: string;
  readonly ends: number;
}

export interface TokenRequest {
  /** URL of the token service, as the challenge gave it. */
  readonly realm: string;
  readonly service: string | undefined;
  /** `repository:PATH:pull` each. */
  readonly scopes: readonly string[];
  readonly credentials: RegistryCredentials | undefined;
}

/** Seconds that a token lives whose life is not told, and the least that any lives (distribution's token specification). */
const SHORTEST_LIFE = 60;

const MAX_ANSWER = 1 << 20;

/**
 * Gets a token (distribution's token and oauth2 specifications): GET with the name and password, if there is one, by basic
 * authentication; POST with an identity token as the refresh token. `registry` is the one that named the token service.
 */
export async function fetchToken(
  exchange: Exchange,
  request: TokenRequest,
  registry: URL,
  signal?: AbortSignal,
): Promise<Token> {
  const realm = realmUrl(request, registry);
  const answer = await send(exchange, { ...httpRequest(realm, request), signal });
  if (!answer.response.ok) throw await refusal(answer, realm, request);
  const text = Buffer.from(await readCapped(answer.body(), MAX_ANSWER, realm.href)).toString("utf8");
  return parseToken(text, realm, Date.now());
}

function realmUrl({ realm, credentials }: TokenRequest, registry: URL): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw realmFault(registry, `the registry names ${JSON.stringify(realm.slice(0, 200))} as its token service`);
  }
  const exposed = url.protocol === "http:" && registry.protocol === "https:" && !isLoopback(url.hostname);
  if (!exposed || credentials === undefined) return url;
  throw realmFault(registry, `a login is not sent to the token service ${url.origin}, which is without TLS`);
}

function realmFault(registry: URL, message: string): GalleyError {
  return new GalleyError("failed_precondition", message, { op: "log in", subject: registry.origin });
}

function httpRequest(realm: URL, request: TokenRequest): HttpRequest {
  const { credentials, service, scopes } = request;
  if (credentials?.kind === "identity") {
    const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "galley", scope: scopes.join(" ") });
    form.set("refresh_token", credentials.token);
    if (service !== undefined) form.set("service", service);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url: realm, headers, body: form.toString() };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (credentials === undefined) return { method: "GET", url };
  url.searchParams.set("account", credentials.username);
  const login = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
  return { method: "GET", url, headers: { authorization: `Basic ${login}` } };
}

async function refusal(answer: HttpAnswer, realm: URL, { credentials }: TokenRequest): Promise<RegistryError> {
  const fault = await answerFault(answer, { op: "log in", subject: realm.origin });
  if (fault.status !== 401 && fault.status !== 403) return fault;
  const message = credentials === undefined ? fault.message : "the registry does not accept the login";
  return new RegistryError("unauthenticated", message, {
    op: "log in",
    subject: realm.origin,
    hint:
      credentials === undefined
        ? (fault.hint ?? "log in")
        : "log in again: the password or token is wrong or has expired",
    status: fault.status,
  });
}

/** Reads the token service's answer; a service may call the token `token` or `access_token`. */
export function parseToken(text: string, realm: URL, now: number): Token {
  try {
    const answer = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const value = answer.token || answer.access_token;
    const life = Math.max(Number(answer.expires_in) || 0, SHORTEST_LIFE);
    // Counted from our clock: the issuer's may differ from it, and the answer took no time to speak of.
    if (typeof value === "string") return { value, ends: now + life * 1000 };
  } catch {
    // The same fault as an answer without a token.
  }
  throw new GalleyError("unavailable", "the token service's answer holds no token", {
    op: "log in",
    subject: realm.origin,
  });
}
