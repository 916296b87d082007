import { GalleyError } from "../../../errors.ts";
import type { Exchange } from "./connections.ts";
import { connectionFault, stalled, tooSlow } from "./faults.ts";

/** Seconds without an answer, or without a little more of its body, after which a connection counts as dead. */
export const STALL_SECONDS = 30;

/** Bytes of a body that have to come in that time: what brings less keeps a pull waiting for ever, byte by byte. */
const LEAST_BYTES = 1024;

/** Redirects that are followed, as many as Go's client follows. */
const MAX_REDIRECTS = 10;

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What a request carries; a stream is opened anew by each attempt and each redirect. */
export type RequestBody = string | Uint8Array | (() => AsyncIterable<Uint8Array>);

export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly signal?: AbortSignal | undefined;
  /** Whether a redirect may lead from TLS to plain HTTP: only where the content is checked against a digest. */
  readonly allowDowngrade?: boolean;
}

/** An answer whose body ends with an error when it stalls, and whose connection is freed when it is not read to its end. */
export interface HttpAnswer {
  readonly response: Response;
  /** Where it came from, redirects followed. */
  readonly url: URL;
  body(): AsyncGenerator<Uint8Array>;
  /** Drops the rest of the body. */
  discard(): void;
}

/** Sends one request, follows its redirects, and gives the answer whatever its status. */
export async function send(
  exchange: Exchange,
  request: HttpRequest,
  stallSeconds = STALL_SECONDS,
): Promise<HttpAnswer> {
  let current = request;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await sendOnce(exchange, current, stallSeconds);
    const location = redirectTarget(answer.response, current.url);
    if (location === undefined) return answer;
    answer.discard();
    if (current.url.protocol === "https:" && location.protocol === "http:" && request.allowDowngrade !== true) {
      throw refusedRedirect(request.url, `it leads from TLS to plain HTTP at ${location.host}`);
    }
    current = { ...current, url: location, headers: headersFor(current, location) };
  }
  throw refusedRedirect(request.url, `there are more than ${MAX_REDIRECTS} of them`);
}

function redirectTarget(response: Response, base: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  const location = response.headers.get("location");
  if (location === null) return undefined;
  const target = URL.canParse(location, base.href) ? new URL(location, base) : undefined;
  if (target?.protocol === "http:" || target?.protocol === "https:") return target;
  throw refusedRedirect(base, `it leads to ${JSON.stringify(location.slice(0, 200))}`);
}

/** Credentials are for the host that asked for them. */
function headersFor(request: HttpRequest, target: URL): Readonly<Record<string, string>> {
  const headers = { ...request.headers };
  if (target.origin !== request.url.origin) delete headers.authorization;
  return headers;
}

function refusedRedirect(url: URL, why: string): GalleyError {
  return new GalleyError("failed_precondition", `a redirect is not followed: ${why}`, {
    op: "ask registry",
    subject: url.origin,
  });
}

async function sendOnce(exchange: Exchange, request: HttpRequest, stallSeconds: number): Promise<HttpAnswer> {
  const { url, signal } = request;
  const watch = new Watch(url, stallSeconds, signal);
  try {
    const response = await watch.run(
      exchange(url, {
        method: request.method,
        // A content coding on the way would change the bytes that digests are of.
        headers: { "accept-encoding": "identity", "user-agent": "galley", ...request.headers },
        signal: watch.signal,
        ...(request.body === undefined ? {} : { body: bodyInit(request.body, watch) }),
      }),
    );
    watch.goesOn();
    const discard = () => (response.body === null ? watch.release() : watch.abort());
    return { response, url, body: () => readBody(response, watch), discard };
  } catch (failure) {
    watch.abort();
    throw faultOf(failure, url, signal);
  }
}

/** A stream counts as progress each time the connection takes a piece of it. Bun sends what it iterates over itself twice as fast as a ReadableStream. */
function bodyInit(body: RequestBody, watch: Watch): NonNullable<RequestInit["body"]> {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return new Uint8Array(body);
  // The types lack a body that is iterated over, which Bun's fetch takes.
  return touching(body(), watch) as unknown as NonNullable<RequestInit["body"]>;
}

async function* touching(body: AsyncIterable<Uint8Array>, watch: Watch): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    watch.touch();
    yield chunk;
  }
}

function faultOf(failure: unknown, url: URL, signal: AbortSignal | undefined): GalleyError {
  // Some are no fault of the connection: a certificate's key that is missing.
  if (signal?.aborted !== true) return failure instanceof GalleyError ? failure : connectionFault(failure, url);
  return new GalleyError("canceled", "interrupted", { op: "ask registry", subject: url.origin, cause: signal.reason });
}

async function* readBody(response: Response, watch: Watch): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let complete = false;
  try {
    for (;;) {
      const { value, done } = await watch.run(reader.read());
      complete = done;
      if (done) return;
      watch.took(value.length);
      yield value;
    }
  } catch (failure) {
    throw faultOf(failure, watch.url, watch.caller);
  } finally {
    if (complete) watch.release();
    else watch.abort();
  }
}

/** Aborts an exchange when the caller does, or when it makes too little progress while somebody waits for it. */
class Watch {
  readonly #controller = new AbortController();
  readonly #forward = () => this.#controller.abort(this.caller?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Milliseconds that were waited, and bytes that came, since it last went on. */
  #waited = 0;
  #came = 0;

  constructor(
    readonly url: URL,
    private readonly seconds: number,
    readonly caller: AbortSignal | undefined,
  ) {
    if (caller?.aborted === true) this.#forward();
    else caller?.addEventListener("abort", this.#forward, { once: true });
  }

  /** What the exchange listens to. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for one step; only the time spent waiting counts, not the time the reader takes between steps. */
  async run<T>(step: Promise<T>): Promise<T> {
    const start = performance.now();
    this.#start();
    try {
      return await step;
    } finally {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#waited += performance.now() - start;
    }
  }

  #start(): void {
    this.#timer = setTimeout(() => this.#giveUp(), Math.max(0, this.seconds * 1000 - this.#waited));
  }

  #giveUp(): void {
    const fault = this.#came === 0 ? stalled(this.url, this.seconds) : tooSlow(this.url, this.#came, this.seconds);
    this.#controller.abort(fault);
  }

  /** Something came that is worth a new wait. */
  goesOn(): void {
    [this.#waited, this.#came] = [0, 0];
  }

  /** Bytes of the body came. */
  took(bytes: number): void {
    this.#came += bytes;
    if (this.#came >= LEAST_BYTES) this.goesOn();
  }

  /** The step that is waited for goes on. */
  touch(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.goesOn();
    this.#start();
  }

  /** The exchange is over; its connection may be used again. */
  release(): void {
    this.caller?.removeEventListener("abort", this.#forward);
  }

  abort(): void {
    this.release();
    this.#controller.abort();
  }
}
