import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { canonicalName, type Reference, repositoryOf, withDefaultTag } from "../reference.ts";
import type { PlaceName } from "../transports/place-name.ts";
import type { Requirement } from "./policy.ts";
import type { LoadedPolicy } from "./policy-file.ts";

/** What is asked of an image, and where that stands. */
export interface Asked {
  readonly requirements: readonly Requirement[];
  /** `transports.docker["host/team"]`, for messages. */
  readonly where: string;
}

/** The requirements of the narrowest scope that a place lies in (containers-policy.json(5), "Supported transports and their scopes"). */
export function requirementsFor({ policy }: LoadedPolicy, place: PlaceName): Asked {
  const own = policy.transports[place.transport];
  for (const scope of own === undefined ? [] : [...scopesOfPlace(place), ""]) {
    const requirements = own !== undefined && Object.hasOwn(own, scope) ? own[scope] : undefined;
    if (requirements !== undefined)
      return { requirements, where: `transports.${place.transport}[${JSON.stringify(scope)}]` };
  }
  return { requirements: policy.default, where: "default" };
}

/** Scopes that a place lies in, the narrowest first; without the empty one. */
export function scopesOfPlace(place: PlaceName): readonly string[] {
  switch (place.transport) {
    case "docker":
      return referenceScopes(place.reference);
    case "docker-daemon":
      return "id" in place ? [] : referenceScopes(place.reference);
    case "dir":
    case "oci":
    case "oci-archive":
    case "sif":
      return pathScopes(resolvedPath(place.path));
    case "docker-archive":
    case "containers-storage":
      return [];
  }
}

/** A reference, its repository, the paths above that, the host, and the wildcards above the host. */
export function referenceScopes(given: Reference): readonly string[] {
  const reference = withDefaultTag(given);
  const { domain, digest } = reference;
  const whole = digest === undefined ? canonicalName(reference) : `${repositoryOf(reference)}@${digest}`;
  const parts = repositoryOf(reference).split("/");
  const above = parts.map((_, count) => parts.slice(0, parts.length - count).join("/"));
  const labels = domain.replace(/:.*$/, "").split(".");
  const wildcards = labels.slice(1).map((_, at) => `*.${labels.slice(at + 1).join(".")}`);
  return [whole, ...above, ...wildcards];
}

function pathScopes(path: string): readonly string[] {
  const scopes: string[] = [];
  for (let at = path; at !== "/" && at !== "."; at = dirname(at)) scopes.push(at);
  return scopes;
}

/** The path without links, also where its end is not there. */
function resolvedPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    return whole === "/" ? whole : join(resolvedPath(dirname(whole)), basename(whole));
  }
}
