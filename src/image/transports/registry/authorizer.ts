import type { RegistryCredentials } from "../../types.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Token, TokenRequest } from "./token.ts";

/** Seconds before its end at which a token is not used any more: a request with it must still arrive. */
const MARGIN = 5;

export interface AuthorizerOptions {
  /** Called at most once, and only when the registry asks. */
  readonly findCredentials: () => Promise<RegistryCredentials | undefined>;
  readonly fetchToken: (request: TokenRequest, signal?: AbortSignal) => Promise<Token>;
  /** Sent as it is with every request, in place of what the registry would ask for. */
  readonly bearer?: string | undefined;
  /** Milliseconds of the clock that tokens end by. */
  readonly now?: () => number;
}

/**
 * Who one registry takes us for. Nothing is sent until it asks (401 with a challenge); what it asked is remembered, so later
 * requests carry their authorization at once, with a token renewed when it runs out. Requests that need the same token at
 * the same time share one.
 */
export class Authorizer {
  #challenge: Challenge | undefined;
  #credentials: Promise<RegistryCredentials | undefined> | undefined;
  readonly #tokens = new Map<string, Promise<Token>>();
  readonly #sent = new Map<string, string>();

  constructor(private readonly options: AuthorizerOptions) {}

  /** Value of the `Authorization` header for a request of `scope`, or `undefined` where nothing was asked. */
  async header(scope: string, signal?: AbortSignal): Promise<string | undefined> {
    const { bearer } = this.options;
    if (bearer !== undefined) return `Bearer ${bearer}`;
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    const credentials = await unlessAborted(this.#login(), signal);
    if (challenge.scheme === "basic") return credentials?.kind === "password" ? basic(credentials) : undefined;
    const { value } = await this.#token(challenge, scope, credentials, signal);
    const header = `Bearer ${value}`;
    this.#sent.set(scope, header);
    return header;
  }

  /** Takes note of a refusal (401) of a request that carried `sent`. True if it should be tried once more. */
  learn(response: Response, scope: string, sent: string | undefined): boolean {
    if (this.options.bearer !== undefined) return false;
    const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
    const challenge =
      challenges.find((one) => one.scheme === "bearer" && one.parameters.realm !== undefined) ??
      challenges.find((one) => one.scheme === "basic");
    if (challenge === undefined) return false;
    this.#challenge = challenge;
    // A password that was refused is not sent again: accounts are locked after a few of them.
    if (challenge.scheme === "basic" && sent?.startsWith("Basic ") === true) return false;
    // Another request may have renewed the token since this one was sent.
    if (sent !== undefined && sent === this.#sent.get(scope)) this.#tokens.delete(scope);
    return true;
  }

  #login(): Promise<RegistryCredentials | undefined> {
    this.#credentials ??= this.options.findCredentials();
    return this.#credentials;
  }

  async #token(
    challenge: Challenge,
    scope: string,
    credentials: RegistryCredentials | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const known = await this.#tokens.get(scope);
    if (known !== undefined && known.ends - MARGIN * 1000 > (this.options.now ?? Date.now)()) return known;
    const { realm = "", service, scope: asked } = challenge.parameters;
    const scopes = [...new Set([...scope.split(" "), ...(asked ?? "").split(" ")])].filter(Boolean);
    const request = { realm, service, scopes, credentials };
    const coming = this.options.fetchToken(request, signal);
    this.#tokens.set(scope, coming);
    coming.catch(() => this.#tokens.delete(scope));
    return coming;
  }
}

/** A helper that keeps logins may ask its user something, or hang. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.reason);
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
