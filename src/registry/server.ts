import { readFileSync } from "node:fs";
import { type GalleyError, httpStatus, toGalleyError } from "../errors.ts";
import { Collecting, type CollectingOptions } from "./collecting.ts";
import type { Context } from "./context.ts";
import { Htpasswd } from "./htpasswd.ts";
import { Mirror } from "./mirror.ts";
import { Refusal, refused } from "./refusal.ts";
import { route } from "./router.ts";
import { RegistryStore } from "./store/registry-store.ts";
import { UPLOAD_LIFE } from "./store/uploads.ts";
import { Upstream } from "./upstream.ts";

export interface ServerOptions {
  /** Directory of the storage. */
  readonly root: string;
  readonly hostname: string;
  /** 0: one that is free. */
  readonly port: number;
  /** Paths of PEM files; absent: plain HTTP. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Path of an htpasswd file with bcrypt hashes; absent: anybody. */
  readonly htpasswd?: string;
  /** Address of a registry to read through. */
  readonly mirror?: string;
  readonly deletion: boolean;
  readonly readOnly: boolean;
  /** Collects garbage from time to time; absent: never. */
  readonly collect?: CollectingOptions;
  /** Told of each failure that is not the client's. */
  readonly onFailure?: (failure: GalleyError, request?: Request) => void;
}

export interface RegistryServer {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  /** Takes no more requests, lets those that are under way end, for `patience` seconds at most, and gives the storage back. */
  stop(patience?: number): Promise<void>;
}

/** Serves the OCI distribution protocol (distribution-spec 1.1). */
export async function startRegistryServer(options: ServerOptions): Promise<RegistryServer> {
  const store = RegistryStore.open(options.root);
  try {
    for (const name of store.directories()) await store.open(name).uploads.expire(Date.now() - UPLOAD_LIFE);
    return listen(options, store);
  } catch (failure) {
    store[Symbol.dispose]();
    throw failure;
  }
}

function listen(options: ServerOptions, store: RegistryStore): RegistryServer {
  const { hostname, port, deletion, readOnly } = options;
  const mirror = options.mirror === undefined ? undefined : new Mirror(store, new Upstream(options.mirror));
  const context: Context = { store, deletion, readOnly, mirror };
  const passwords = options.htpasswd === undefined ? undefined : new Htpasswd(options.htpasswd);
  let busy = 0;
  const server = serve({
    hostname,
    port,
    ...(options.tls === undefined ? {} : { tls: certificates(options.tls) }),
    idleTimeout: 255, // Seconds, the most there is: a client may take its time between two chunks.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    reusePort: false, // Outside development Bun would share the port with any other server of the same user.
    async fetch(request) {
      busy++;
      try {
        return marked(await answer(context, passwords, request));
      } catch (failure) {
        return marked(faultAnswer(failure, request, options));
      } finally {
        busy--;
      }
    },
  });
  const collecting =
    options.collect === undefined ? undefined : new Collecting(store, options.collect, options.onFailure);
  return {
    url: `${options.tls === undefined ? "http" : "https"}://${hostname.includes(":") ? `[${hostname}]` : hostname}:${server.port}`,
    async stop(patience = 10) {
      void server.stop(false);
      for (const end = Date.now() + patience * 1000; (busy > 0 || server.pendingRequests > 0) && Date.now() < end; ) {
        await Bun.sleep(10);
      }
      await server.stop(true);
      await collecting?.stop();
      store[Symbol.dispose]();
    },
  };
}

function serve(given: Parameters<typeof Bun.serve>[0]): Bun.Server<undefined> {
  try {
    return Bun.serve(given) as Bun.Server<undefined>;
  } catch (failure) {
    const { hostname, port } = given as { hostname: string; port: number };
    const encrypted = String(failure).includes("X.509");
    throw toGalleyError(failure, {
      op: "listen",
      subject: `${hostname}:${port}`,
      hint: encrypted ? "--tls-cert and --tls-key belong to each other" : "--listen names another address",
    });
  }
}

function certificates({ certificate, key }: { readonly certificate: string; readonly key: string }) {
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch (failure) {
      throw toGalleyError(failure, { op: "read certificate", subject: path });
    }
  };
  return { cert: read(certificate), key: read(key) };
}

async function answer(context: Context, passwords: Htpasswd | undefined, request: Request): Promise<Response> {
  if (passwords !== undefined && !(await passwords.accepts(request.headers.get("authorization")))) {
    throw new Refusal("UNAUTHORIZED", "authentication required", {
      headers: { "www-authenticate": 'Basic realm="Galley registry"' },
    });
  }
  return route(context, request);
}

/** The header by which old clients know a registry of this protocol. */
function marked(response: Response): Response {
  response.headers.set("docker-distribution-api-version", "registry/2.0");
  return response;
}

function faultAnswer(failure: unknown, request: Request, { onFailure }: ServerOptions): Response {
  if (failure instanceof Refusal) return refused(failure);
  const error = toGalleyError(failure, { op: "answer", subject: `${request.method} ${new URL(request.url).pathname}` });
  if (!request.signal.aborted) onFailure?.(error, request);
  return Response.json({ errors: [{ code: "UNKNOWN", message: error.message }] }, { status: httpStatus[error.code] });
}
