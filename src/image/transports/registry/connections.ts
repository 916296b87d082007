import { type Environment, tlsMaterial } from "./certificates.ts";
import { checkProxy } from "./proxy.ts";
import type { TlsDetails } from "./tls-details.ts";

/** One HTTP exchange without redirects: `fetch`, or a test's stand-in. */
export type Exchange = (url: URL, init: RequestInit) => Promise<Response>;

/** Whether the name or address of a URL is this machine itself (127.0.0.0/8, ::1, localhost). */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** How TLS connections are made where the user says it for one command. */
export interface TlsOptions {
  /** False: any certificate is taken. */
  readonly verify?: boolean | undefined;
  /** Directory of certificates (`*.crt`, `*.cert`, `*.key`) in place of those under certs.d. */
  readonly certificates?: string | undefined;
  /** Versions, suites and groups. */
  readonly details?: TlsDetails | undefined;
}

/**
 * The exchange of real life. Each host has its own certificates, and its own pool of connections with them. Proxies are those of the
 * environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY in either case); this machine itself is never reached through one.
 */
export function openConnections(env: Environment, tls: TlsOptions = {}): Exchange {
  const sessions = new Map<string, Bun.FetchSession>();
  return async (url, init) => {
    const proxy = isLoopback(url.hostname) ? { proxy: false as const } : {};
    if (proxy.proxy !== false) checkProxy(env, url.protocol);
    // Content is checked and kept as it was sent, so it must not be decompressed on the way.
    const options = { ...init, ...proxy, redirect: "manual", decompress: false } as BunFetchRequestInit;
    if (url.protocol !== "https:") return fetch(url, options);
    let session = sessions.get(url.host);
    if (session === undefined) {
      const { ca, ...client } = tlsMaterial(url.host, env, tls.certificates);
      const trusting = tls.verify === false ? { rejectUnauthorized: false } : {};
      const trusted = ca === undefined ? {} : { ca: [...ca] };
      session = new Bun.FetchSession({ tls: { ...client, ...trusting, ...trusted, ...tls.details } });
      sessions.set(url.host, session);
    }
    return session.fetch(url, options);
  };
}
