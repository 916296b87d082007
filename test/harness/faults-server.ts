/**
 * A registry's evil twin: passes requests on to a real registry and spoils the answers that a test chooses.
 * Truncation, false lengths and cut connections need control of the bytes, so answers are written to the socket by hand.
 */
import { createServer, type Socket } from "node:net";
import { type Request, readRequest, write, writeHead } from "./http-socket.ts";
import { type TokenOptions, tokenGate } from "./token-gate.ts";

/** Which requests are spoilt, and how. The first fault that matches acts; a request without one passes unchanged. */
export interface Fault {
  /** Part of the request's path, or a pattern for it: `/blobs/`, `/manifests/latest`, the hex of a digest. */
  readonly path: string | RegExp;
  /** Default: every method. */
  readonly method?: string;
  /** How many requests it meets before it is used up; default all. */
  readonly times?: number;
  /** How many matching requests pass first; default 0. */
  readonly after?: number;
  readonly act: Act;
}

/** What happens to an answer. Byte counts refer to the body. */
export type Act =
  /** Answer with this status (401, 404, 429, 500, …) without asking the registry. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Close the connection after this many bytes of the body; the length that was announced stays. */
  | { readonly cutAfter: number }
  /** Send nothing more after this many bytes; the connection stays. */
  | { readonly hangAfter: number }
  /** End the body after this many bytes and announce just that length. */
  | { readonly truncateTo: number }
  /** Announce this many bytes more (or fewer) than are sent. */
  | { readonly lengthOff: number }
  /** Change the byte at this offset. */
  | { readonly flipByteAt: number }
  /** Wait this many milliseconds before answering. */
  | { readonly delay: number }
  /** Send the body in pieces of `chunk` bytes with `pause` milliseconds between them. */
  | { readonly chunk: number; readonly pause: number }
  /** Heed only so many of the ranges that are asked for; with none, answer with the whole. */
  | { readonly ranges: number }
  /** Take the request and never answer. */
  | { readonly hang: true }
  /** Close the connection without a byte. */
  | { readonly refuse: true }
  /** Send this body in place of the registry's. */
  | { readonly replace: Uint8Array | string; readonly headers?: Readonly<Record<string, string>> }
  /** Send zeros without end or length until the client gives up. */
  | { readonly endless: true };

/** Milliseconds that a client has to read what came before a cut. */
const CUT_DELAY = 200;

export interface FaultsServer {
  /** `127.0.0.1:PORT`, as references begin. */
  readonly host: string;
  readonly url: string;
  /** Every request so far, in order of arrival; the list grows while the server runs. */
  readonly requests: readonly Request[];
  /** Bytes of a body that were handed to the connection in answer to a request. */
  sent(request: Request): number;
  /** Adds faults, before those that are there. */
  inject(...faults: readonly Fault[]): void;
  /** Takes all faults away. */
  heal(): void;
  /** Closes all connections and stops listening. */
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/**
 * Starts the server in front of the registry at `upstream` (`http://HOST:PORT`). With `token` it asks for bearer tokens
 * and hands them out at `/token`, as public registries do.
 */
export async function startFaultsServer(
  upstream: string,
  options: { readonly faults?: readonly Fault[]; readonly token?: TokenOptions } = {},
): Promise<FaultsServer> {
  const requests: Request[] = [];
  const sent = new Map<Request, number>();
  const sockets = new Set<Socket>();
  let faults = (options.faults ?? []).map(counted);
  const gate = options.token === undefined ? undefined : tokenGate(options.token);
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    void readRequest(socket).then(async (request) => {
      if (request === undefined) return;
      requests.push(request);
      const act = faults.map((take) => take(request)).find((found) => found !== undefined);
      const count = (bytes: number) => sent.set(request, (sent.get(request) ?? 0) + bytes);
      await answer(
        { socket, method: request.method, act, count },
        () => gate?.(request) ?? ask(upstream, heeded(request, act)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  return {
    host,
    url: `http://${host}`,
    requests,
    sent: (request) => sent.get(request) ?? 0,
    inject: (...added) => {
      faults = [...added.map(counted), ...faults];
    },
    heal: () => {
      faults = [];
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A fault with its count: gives what to do with a request, or undefined where it does not concern it. */
function counted(fault: Fault): (request: Request) => Act | undefined {
  let met = 0;
  const [after, times] = [fault.after ?? 0, fault.times ?? Number.POSITIVE_INFINITY];
  return (request) => {
    const here = typeof fault.path === "string" ? request.path.includes(fault.path) : fault.path.test(request.path);
    if (!here || (fault.method !== undefined && fault.method !== request.method)) return undefined;
    met++;
    return met > after && met <= after + times ? fault.act : undefined;
  };
}

function heeded(request: Request, act: Act | undefined): Request {
  const range = request.headers.get("range");
  if (range === null || act === undefined || !("ranges" in act)) return request;
  const headers = new Headers(request.headers);
  if (act.ranges === 0) headers.delete("range");
  else headers.set("range", range.split(",").slice(0, act.ranges).join(","));
  return { ...request, headers };
}

/** The registry's own answer, its body complete and as compressed as it was sent. */
async function ask(upstream: string, request: Request): Promise<Answer> {
  const headers = new Headers(request.headers);
  headers.delete("connection");
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const response = await fetch(`${upstream}${request.path}`, {
    method: request.method,
    headers,
    redirect: "manual",
    decompress: false,
    ...(hasBody ? { body: new Uint8Array(request.body) } : {}),
  });
  const body = new Uint8Array(await response.arrayBuffer());
  const kept = new Headers(response.headers);
  for (const name of ["connection", "transfer-encoding", "keep-alive"]) kept.delete(name);
  if (request.method !== "HEAD") kept.set("content-length", String(body.length));
  return { status: response.status, headers: kept, body };
}

interface Exchange {
  readonly socket: Socket;
  readonly method: string;
  readonly act: Act | undefined;
  /** Told of bytes of the body that are sent. */
  readonly count: (bytes: number) => void;
}

async function answer({ socket, method, act, count }: Exchange, ask: () => Answer | Promise<Answer>): Promise<void> {
  if (act !== undefined && "hang" in act) return;
  if (act !== undefined && "refuse" in act) {
    socket.destroy();
    return;
  }
  if (act !== undefined && "delay" in act) await Bun.sleep(act.delay);
  const honest = act !== undefined && "status" in act ? made(act.status, act.headers, act.body ?? "") : await ask();
  const { status, headers, body } = spoil(honest, act);
  await writeHead(socket, status, headers);
  if (method === "HEAD") {
    socket.end();
    return;
  }
  if (act !== undefined && "endless" in act) await pourZeros(socket);
  const piece = act !== undefined && "chunk" in act ? act : { chunk: Math.max(body.length, 1), pause: 0 };
  for (let offset = 0; offset < body.length && !socket.destroyed; offset += piece.chunk) {
    if (offset > 0) await Bun.sleep(piece.pause);
    const part = body.subarray(offset, offset + piece.chunk);
    count(part.length);
    await write(socket, part);
  }
  if (act !== undefined && "hangAfter" in act) return;
  // A client may drop what it has not read yet when the connection breaks: this fault is about what did arrive.
  if (act !== undefined && "cutAfter" in act) await Bun.sleep(CUT_DELAY);
  socket.end();
}

function made(status: number, headers: Readonly<Record<string, string>> | undefined, text: string): Answer {
  const body = Buffer.from(text);
  return { status, headers: new Headers({ "content-length": String(body.length), ...headers }), body };
}

/** The answer as the client gets it. */
function spoil(answer: Answer, act: Act | undefined): Answer {
  const withLength = (length: number) => {
    const headers = new Headers(answer.headers);
    headers.set("content-length", String(length));
    return headers;
  };
  if (act === undefined) return answer;
  if ("cutAfter" in act) return { ...answer, body: answer.body.subarray(0, act.cutAfter) };
  if ("hangAfter" in act) return { ...answer, body: answer.body.subarray(0, act.hangAfter) };
  if ("truncateTo" in act) {
    const body = answer.body.subarray(0, act.truncateTo);
    return { ...answer, headers: withLength(body.length), body };
  }
  if ("lengthOff" in act) return { ...answer, headers: withLength(answer.body.length + act.lengthOff) };
  if ("flipByteAt" in act) {
    const body = new Uint8Array(answer.body);
    body[act.flipByteAt] = (body[act.flipByteAt] ?? 0) ^ 0xff;
    return { ...answer, body };
  }
  if ("replace" in act) {
    const body = typeof act.replace === "string" ? Buffer.from(act.replace) : act.replace;
    const headers = withLength(body.length);
    for (const [name, value] of Object.entries(act.headers ?? {})) headers.set(name, value);
    return { ...answer, headers, body };
  }
  if ("endless" in act) {
    const headers = new Headers(answer.headers);
    headers.delete("content-length");
    return { ...answer, headers, body: new Uint8Array() };
  }
  return answer;
}

async function pourZeros(socket: Socket): Promise<void> {
  const zeros = new Uint8Array(64 * 1024);
  while (!socket.destroyed) await write(socket, zeros);
}
