import type { TransportOptions } from "../transport.ts";
import type { Authorizer } from "./authorizer.ts";
import type { Exchange } from "./connections.ts";
import { answerFault, RegistryError } from "./faults.ts";
import { type HttpAnswer, type Method, type RequestBody, send } from "./request.ts";
import { delayBefore, type Patience, pause } from "./retry.ts";

/** A request below a registry's `/v2/`. */
export interface ApiRequest {
  readonly method: Method;
  /** `NAME/manifests/REFERENCE` or `NAME/blobs/DIGEST`, or a whole URL, which gets an authorization only if `own` says so. */
  readonly path: string | URL;
  /** The URL is one that the registry gave for itself: an upload's, the next page's. */
  readonly own?: boolean;
  /** What is being done to what, for error messages. */
  readonly op: string;
  readonly subject: string;
  /** `repository:NAME:pull`; several are separated by spaces. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly allowDowngrade?: boolean;
}

export interface ClientParts {
  readonly base: URL;
  readonly exchange: Exchange;
  readonly authorizer: Authorizer;
  /** Waits; a test's does not. */
  readonly sleep?: (seconds: number, signal?: AbortSignal) => Promise<void>;
  readonly patience?: Patience | undefined;
}

/** How often one request may be refused and sent again: a token may run out, or be used up by other requests, on its way. */
const MAX_REFUSALS = 3;

/** Waits before attempt number `attempt`, or throws `fault` where there is nothing to wait for. */
export async function waitOrThrow(
  fault: unknown,
  attempt: number,
  options: TransportOptions,
  { sleep = pause, patience = {} }: Pick<ClientParts, "sleep" | "patience"> = {},
): Promise<void> {
  if (!(fault instanceof RegistryError)) throw fault;
  if (!fault.transient && !(fault.refused && patience.retries !== undefined)) throw fault;
  const seconds = delayBefore(attempt, fault.retryAfter, patience);
  if (seconds === undefined) throw fault;
  options.onRetry?.({ seconds, reason: fault.message });
  await sleep(seconds, options.signal);
}

/** Requests to one registry: authorized when it asks, repeated when that may help. */
export class RegistryClient {
  constructor(readonly parts: ClientParts) {}

  /** Does `work`, again and again while what fails it may pass. */
  async retrying<T>(options: TransportOptions, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (fault) {
        await waitOrThrow(fault, attempt, options, this.parts);
      }
    }
  }

  /** One request, and the one that answers a challenge. Statuses of success and those in `accept` are given, others thrown. */
  async attempt(api: ApiRequest, { signal }: TransportOptions, accept: readonly number[] = []): Promise<HttpAnswer> {
    const { authorizer } = this.parts;
    const own = typeof api.path === "string" || (api.own === true && api.path.origin === this.parts.base.origin);
    for (let refusals = 0; ; refusals++) {
      const sent = own ? await authorizer.header(api.scope, signal) : undefined;
      const answer = await this.#send(api, sent, signal);
      const { response } = answer;
      const isAsking = response.status === 401 && sent === undefined;
      if (response.ok || (accept.includes(response.status) && !isAsking)) return answer;
      // What a registry redirects to may not ask for the registry's login.
      const itself = own && answer.url.origin === this.#urlOf(api).origin;
      const refused = itself && response.status === 401 && refusals < MAX_REFUSALS;
      const again = refused && authorizer.learn(response, api.scope, sent);
      if (!again && accept.includes(response.status)) return answer;
      if (!again) throw await answerFault(answer, api);
      answer.discard();
    }
  }

  /**
   * A URL that the registry gave in a header. One on its own host is reached the way the registry is: behind a proxy, registries
   * do not know that they speak TLS.
   */
  located(location: string, within: URL): URL {
    const url = new URL(location, within);
    if (url.hostname !== this.parts.base.hostname || url.protocol === this.parts.base.protocol) return url;
    return new URL(url.pathname + url.search, this.parts.base);
  }

  #urlOf({ path }: ApiRequest): URL {
    return typeof path === "string" ? new URL(`/v2/${path}`, this.parts.base) : path;
  }

  #send(api: ApiRequest, authorization: string | undefined, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    return send(this.parts.exchange, {
      method: api.method,
      url: this.#urlOf(api),
      headers: { ...api.headers, ...(authorization === undefined ? {} : { authorization }) },
      signal,
      ...(api.body === undefined ? {} : { body: api.body }),
      ...(api.allowDowngrade === undefined ? {} : { allowDowngrade: api.allowDowngrade }),
    });
  }
}
