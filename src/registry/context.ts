import type { Mirror } from "./mirror.ts";
import { Refusal } from "./refusal.ts";
import type { OpenRepository, RegistryStore } from "./store/registry-store.ts";

/** What routes work with. */
export interface Context {
  readonly store: RegistryStore;
  /** Whether manifests, tags and blobs may be deleted. */
  readonly deletion: boolean;
  /** Whether nothing may be pushed or deleted. */
  readonly readOnly: boolean;
  /** Where what is not here is looked for. */
  readonly mirror?: Mirror | undefined;
}

/** A request that was told apart: whose repository, what in it, and the parameters behind `?`. */
export interface Call {
  readonly context: Context;
  readonly request: Request;
  /** A valid name; empty for what is about no repository. */
  readonly name: string;
  /** The last part of the path: a tag, a digest, an upload's ID. */
  readonly reference: string;
  readonly query: URLSearchParams;
}

/** Answers one kind of request; what it throws as a {@link Refusal} is told to the client. */
export type Route = (call: Call) => Response | Promise<Response>;

/** The call's repository, or NAME_UNKNOWN. */
export function repositoryOf({ context, name }: Call): OpenRepository {
  const repository = context.store.find(name);
  if (repository !== undefined) return repository;
  throw new Refusal("NAME_UNKNOWN", "repository name not known to registry", { detail: { name } });
}

/** Lets a route that changes something through, or refuses it. */
export function requireWritable({ context }: Call, what: "push" | "deletion"): void {
  const denied = context.readOnly || context.mirror !== undefined || (what === "deletion" && !context.deletion);
  if (denied) throw new Refusal("UNSUPPORTED", `${what} is disabled in this registry`);
}
