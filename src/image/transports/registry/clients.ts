import type { Reference } from "../../reference.ts";
import type { RegistryCredentials } from "../../types.ts";
import type { TransportOptions } from "../transport.ts";
import { Authorizer } from "./authorizer.ts";
import type { Environment } from "./certificates.ts";
import { RegistryClient } from "./client.ts";
import { type Exchange, openConnections } from "./connections.ts";
import { findCredentials } from "./credentials.ts";
import { findEndpoint } from "./endpoint.ts";
import { fetchToken } from "./token.ts";

/** How registries are reached. Everything has a default: what the user's files and the environment say. */
export interface RegistryOptions {
  /** Replace the logins of the user's files; `anonymous` is no login at all. */
  readonly credentials?: RegistryCredentials | "anonymous" | undefined;
  /** A bearer token that is sent as it is. */
  readonly token?: string | undefined;
  /** True: by TLS even on this machine. False: any certificate is taken, and plain HTTP. */
  readonly tlsVerify?: boolean | undefined;
  /** Directory of certificates in place of those under certs.d. */
  readonly certificates?: string | undefined;
  /** The process's own by default. */
  readonly env?: Environment;
  /** Real connections by default. */
  readonly exchange?: Exchange;
  readonly sleep?: (seconds: number, signal?: AbortSignal) => Promise<void>;
}

/** The clients of all registries that one command talks to. */
export class RegistryClients {
  readonly #clients = new Map<string, Promise<RegistryClient>>();
  readonly #env: Environment;
  readonly #exchange: Exchange;

  constructor(private readonly options: RegistryOptions = {}) {
    this.#env = options.env ?? process.env;
    const tls = { verify: options.tlsVerify, certificates: options.certificates };
    this.#exchange = options.exchange ?? openConnections(this.#env, tls);
  }

  /** The client for a repository. Logins may be kept for a part of a registry, so a client serves one repository. */
  of(reference: Reference, { signal }: TransportOptions = {}): Promise<RegistryClient> {
    const key = `${reference.domain}/${reference.path}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = this.#open(reference, signal);
      this.#clients.set(key, client);
      client.catch(() => this.#clients.delete(key));
    }
    return client;
  }

  async #open({ domain, path }: Reference, signal: AbortSignal | undefined): Promise<RegistryClient> {
    const exchange = this.#exchange;
    const { credentials, sleep, token, tlsVerify } = this.options;
    const base = await findEndpoint(exchange, domain, signal, tlsVerify);
    const authorizer = new Authorizer({
      findCredentials: async () => {
        if (credentials === "anonymous") return undefined;
        return credentials ?? (await findCredentials(domain, path, this.#env));
      },
      fetchToken: (request, stop) => fetchToken(exchange, request, base, stop),
      bearer: token,
    });
    return new RegistryClient({ base, exchange, authorizer, ...(sleep === undefined ? {} : { sleep }) });
  }
}
