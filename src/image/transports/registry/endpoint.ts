import { type Exchange, isLoopback } from "./connections.ts";
import { RegistryError } from "./faults.ts";
import { send } from "./request.ts";

/** Docker Hub's name is not the name of its machine. */
const HUB = "registry-1.docker.io";

/**
 * URL of the registry that a reference's domain names: by TLS, except that a registry on this machine may speak plain HTTP. Which one it
 * does is asked (`GET /v2/`), plain first unless the port is that of TLS. Certificates are checked here as everywhere.
 * @param tlsVerify true: by TLS in any case; false: plain HTTP is taken from any machine
 */
export async function findEndpoint(
  exchange: Exchange,
  domain: string,
  signal?: AbortSignal,
  tlsVerify?: boolean,
): Promise<URL> {
  const host = domain === "docker.io" ? HUB : domain;
  const secure = new URL(`https://${host}`);
  if (tlsVerify === true || (tlsVerify === undefined && !isLoopback(secure.hostname))) return secure;
  const plain = new URL(`http://${host}`);
  const ask = (url: URL) => probe(exchange, url, signal);
  return secure.port === "" ? secureFirst(secure, plain, ask) : plainFirst(secure, plain, ask);
}

/**
 * `registry` and `other` answer HTTP, with a status; `silent` is something that does not speak the protocol we tried, and `failure` what came
 * of it; `down` is nothing.
 */
type Finding =
  | { readonly kind: "registry"; readonly status: number }
  | { readonly kind: "other"; readonly status: number }
  | { readonly kind: "silent"; readonly failure: RegistryError }
  | { readonly kind: "down"; readonly failure: RegistryError };

async function secureFirst(secure: URL, plain: URL, ask: (url: URL) => Promise<Finding>): Promise<URL> {
  const { kind } = await ask(secure);
  return kind === "registry" || kind === "other" ? secure : plain;
}

async function plainFirst(secure: URL, plain: URL, ask: (url: URL) => Promise<Finding>): Promise<URL> {
  const first = await ask(plain);
  if (first.kind === "registry" || first.kind === "down") return plain;
  // A TLS server answers plain HTTP with status 400 or not at all.
  const second = await ask(secure);
  if (second.kind === "registry" || second.kind === "other") return secure;
  // It does speak TLS, but not with us: it wants a certificate that we have not.
  if (first.kind === "other" && first.status === 400) throw second.failure;
  return plain;
}

async function probe(exchange: Exchange, base: URL, signal?: AbortSignal): Promise<Finding> {
  try {
    const { response, discard } = await send(exchange, { method: "GET", url: new URL("/v2/", base), signal });
    discard();
    const { status, ok, headers } = response;
    const isRegistry = headers.has("docker-distribution-api-version") || ok || status === 401;
    return { kind: isRegistry ? "registry" : "other", status };
  } catch (failure) {
    if (!(failure instanceof RegistryError)) throw failure;
    if (failure.code === "failed_precondition") throw failure; // A certificate that is not trusted.
    return { kind: failure.refused ? "down" : "silent", failure };
  }
}
