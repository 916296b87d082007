import type { Reference } from "../../reference.ts";
import type { RegistriesConf } from "../../registries/conf.ts";
import { directSource, type PullSource, pullSources } from "../../registries/find-rule.ts";
import { loadRegistriesConf } from "../../registries/load-conf.ts";
import type { RegistryCredentials } from "../../types.ts";
import type { TransportOptions } from "../transport.ts";
import { Authorizer } from "./authorizer.ts";
import type { Environment } from "./certificates.ts";
import { RegistryClient } from "./client.ts";
import { type Exchange, openConnections } from "./connections.ts";
import { findCredentials } from "./credentials.ts";
import { findEndpoint } from "./endpoint.ts";
import type { Patience } from "./retry.ts";
import type { TlsDetails } from "./tls-details.ts";
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
  /** TLS versions, suites and groups, where they are not the program's own choice. */
  readonly tlsDetails?: TlsDetails | undefined;
  /** Stands before Galley's own name in requests. */
  readonly userAgentPrefix?: string | undefined;
  /** Directory of containers-registries.d(5) in place of the user's or the host's. */
  readonly signatureDirectory?: string | undefined;
  /** The process's own by default. */
  readonly env?: Environment;
  /** Real connections by default. */
  readonly exchange?: Exchange;
  readonly sleep?: (seconds: number, signal?: AbortSignal) => Promise<void>;
  /** How what may pass is tried again; default: five attempts with growing pauses (retry.ts). */
  readonly patience?: Patience | undefined;
}

/** The clients of all registries that one command talks to. */
export class RegistryClients {
  readonly #clients = new Map<string, Promise<RegistryClient>>();
  /** By whether certificates are checked. */
  readonly #exchanges = new Map<boolean, Exchange>();
  readonly #env: Environment;
  #conf: RegistriesConf | undefined;

  constructor(private readonly options: RegistryOptions = {}) {
    this.#env = options.env ?? process.env;
  }

  /** containers-registries.conf(5) of the user; read once. */
  get conf(): RegistriesConf {
    this.#conf ??= loadRegistriesConf(this.#env);
    return this.#conf;
  }

  /** Where an image is read: mirrors and rewritten names first (registries.conf). One that is blocked is `permission_denied`. */
  sources(reference: Reference): readonly PullSource[] {
    return pullSources(this.conf, reference);
  }

  /** The image's own place, where it is written. */
  direct(reference: Reference): PullSource {
    return directSource(this.conf, reference);
  }

  get env(): Environment {
    return this.#env;
  }

  /** Directory of registries.d, where a command names one. */
  get signatureDirectory(): string | undefined {
    return this.options.signatureDirectory;
  }

  /** Connections to places that are no registries. */
  get exchange(): Exchange {
    return this.#exchange(this.options.tlsVerify);
  }

  /** The client for a repository. Logins may be kept for a part of a registry, so a client serves one repository. */
  of(reference: Reference, options: TransportOptions = {}): Promise<RegistryClient> {
    return this.at(this.direct(reference), options);
  }

  /** The client for a place to read from. A login that was given for this call is for the registry of this name alone. */
  at({ reference, insecure, named }: PullSource, { signal }: TransportOptions = {}): Promise<RegistryClient> {
    const own = reference.domain === named;
    const key = `${reference.domain}/${reference.path} ${insecure} ${own}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = this.#open(reference, { insecure, own, signal });
      this.#clients.set(key, client);
      client.catch(() => this.#clients.delete(key));
    }
    return client;
  }

  async #open(
    { domain, path }: Reference,
    {
      insecure,
      own,
      signal,
    }: { readonly insecure: boolean; readonly own: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<RegistryClient> {
    const { sleep, patience } = this.options;
    const given = this.options.credentials;
    const credentials = own || given === "anonymous" ? given : undefined;
    const token = own ? this.options.token : undefined;
    const verify = this.options.tlsVerify ?? (insecure ? false : undefined);
    const exchange = this.#exchange(verify);
    const base = await findEndpoint(exchange, domain, signal, verify);
    const authorizer = new Authorizer({
      findCredentials: async () => {
        if (credentials === "anonymous") return undefined;
        return credentials ?? (await findCredentials(domain, path, this.#env, { helpers: this.conf.helpers }));
      },
      fetchToken: (request, stop) => fetchToken(exchange, request, base, stop),
      bearer: token,
    });
    return new RegistryClient({ base, exchange, authorizer, patience, ...(sleep === undefined ? {} : { sleep }) });
  }

  #exchange(verify: boolean | undefined): Exchange {
    if (this.options.exchange !== undefined) return this.options.exchange;
    const known = this.#exchanges.get(verify !== false);
    if (known !== undefined) return known;
    const { certificates, userAgentPrefix, tlsDetails: details } = this.options;
    const made = named(openConnections(this.#env, { verify, certificates, details }), userAgentPrefix);
    this.#exchanges.set(verify !== false, made);
    return made;
  }
}

/** Connections over which requests carry another name. */
function named(exchange: Exchange, prefix: string | undefined): Exchange {
  if (prefix === undefined) return exchange;
  return (url, init) => {
    const headers = new Headers(init.headers);
    headers.set("user-agent", `${prefix} ${headers.get("user-agent") ?? "galley"}`);
    return exchange(url, { ...init, headers });
  };
}
