import { GalleyError } from "../../../errors.ts";
import type { TransportOptions } from "../transport.ts";
import type { RegistryClient } from "./client.ts";
import type { RegistryClients } from "./clients.ts";
import { pagesFrom } from "./repository.ts";

/** A repository that was found. `name` is without the registry's. */
export interface SearchHit {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly official: boolean;
  readonly automated: boolean;
}

/** Docker Hub's search is on another host than its images. */
const HUB = "https://index.docker.io/v1/search";

/** Repositories asked for at a time. */
const PAGE = 1000;

/**
 * Repositories of a registry whose names hold a text, in the registry's order: by the old search API where the registry has it
 * (`/v1/search`), else out of its catalogue (`/v2/_catalog`, "Listing Repositories" of the Distribution project).
 */
export async function searchRegistry(
  clients: RegistryClients,
  domain: string,
  term: string,
  { limit, ...options }: TransportOptions & { readonly limit: number },
): Promise<readonly SearchHit[]> {
  const client = await clients.of({ domain, path: "search" }, options);
  const known = term === "" ? undefined : await oldSearch(client, domain, term, limit, options);
  return (known ?? (await fromCatalog(client, domain, term, limit, options))).slice(0, limit);
}

async function oldSearch(
  client: RegistryClient,
  domain: string,
  term: string,
  limit: number,
  options: TransportOptions,
): Promise<readonly SearchHit[] | undefined> {
  const url = domain === "docker.io" ? new URL(HUB) : new URL("/v1/search", client.parts.base);
  url.searchParams.set("q", term);
  url.searchParams.set("n", String(limit));
  const api = {
    method: "GET",
    path: url,
    own: domain !== "docker.io",
    op: "search",
    subject: domain,
    scope: "",
  } as const;
  try {
    for await (const { results } of pagesFrom<{ results?: unknown }>(client, api, options)) {
      return Array.isArray(results) ? results.flatMap(hitOf) : undefined;
    }
  } catch (failure) {
    // Most registries do not have it, and say so in many ways.
    if (options.signal?.aborted || !(failure instanceof GalleyError) || domain === "docker.io") throw failure;
  }
  return undefined;
}

function hitOf(value: unknown): readonly SearchHit[] {
  const { name, description, star_count, is_official, is_automated } = (value ?? {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof name !== "string") return [];
  return [
    {
      name,
      description: typeof description === "string" ? description : "",
      stars: typeof star_count === "number" ? star_count : 0,
      official: is_official === true,
      automated: is_automated === true,
    },
  ];
}

async function fromCatalog(
  client: RegistryClient,
  domain: string,
  term: string,
  limit: number,
  options: TransportOptions,
): Promise<readonly SearchHit[]> {
  const found: SearchHit[] = [];
  const api = {
    method: "GET",
    path: `_catalog?n=${PAGE}`,
    op: "search",
    subject: domain,
    scope: "registry:catalog:*",
  } as const;
  for await (const { repositories } of pagesFrom<{ repositories?: unknown }>(client, api, options)) {
    const names = Array.isArray(repositories) ? repositories.filter((name) => typeof name === "string") : [];
    const wanted = names.filter((name) => name.includes(term));
    found.push(...wanted.map((name) => ({ name, description: "", stars: 0, official: false, automated: false })));
    if (found.length >= limit) break;
  }
  return found;
}
