import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { isObject } from "../json-object.ts";
import type { Reference } from "../reference.ts";
import { referenceScopes } from "./scopes.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** containers-registries.d(5): where the signatures of images are that a registry does not keep itself. */
export interface SignatureStorage {
  /** URLs (`file:`, `http:`, `https:`) below which the repositories' directories are; without the path of the repository. */
  readonly read: string;
  readonly write: string;
  /** Whether sigstore signatures are read from, and written to, the registry. */
  readonly attachments: boolean;
}

/** What a file says of one namespace. */
interface Namespace {
  readonly lookaside?: string;
  readonly staging?: string;
  readonly attachments?: boolean;
}

/** All files of a directory, joined. */
interface RegistriesD {
  readonly fallback: Namespace;
  readonly namespaces: Readonly<Record<string, Namespace>>;
}

/** The directory of these files: the one that is named, the user's if there is one, or the host's. */
export function registriesDirectory(env: Environment, named?: string): string {
  if (named !== undefined) return named;
  const own = join(env.HOME ?? homedir(), ".config/containers/registries.d");
  return existsSync(own) ? own : "/etc/containers/registries.d";
}

/** Where the signatures of an image are: each setting from the narrowest namespace that has it. */
export function signatureStorage(reference: Reference, env: Environment, directory?: string): SignatureStorage {
  const { fallback, namespaces } = load(registriesDirectory(env, directory));
  const scopes = referenceScopes(reference).map((scope) =>
    Object.hasOwn(namespaces, scope) ? namespaces[scope] : undefined,
  );
  const levels = [...scopes, fallback].filter((level) => level !== undefined);
  const read = levels.map(({ lookaside }) => lookaside).find((url) => url !== undefined) ?? builtIn(env);
  const write =
    levels.map(({ staging, lookaside }) => staging ?? lookaside).find((url) => url !== undefined) ?? builtIn(env);
  const attachments = levels.map((level) => level.attachments).find((value) => value !== undefined) ?? false;
  return { read, write, attachments };
}

function builtIn(env: Environment): string {
  if (process.geteuid?.() === 0) return "file:///var/lib/containers/sigstore";
  return `file://${join(env.HOME ?? homedir(), ".local/share/containers/sigstore")}`;
}

function load(directory: string): RegistriesD {
  let joined: RegistriesD = { fallback: {}, namespaces: {} };
  const from = new Map<string, string>();
  for (const path of files(directory)) {
    const { "default-docker": fallback, docker } = parse(path);
    const namespaces = isObject(docker) ? docker : {};
    for (const name of [...(fallback === undefined ? [] : ["default-docker"]), ...Object.keys(namespaces)]) {
      const other = from.get(name);
      if (other !== undefined) throw wrong(path, `${JSON.stringify(name)} is defined both in ${other} and here`);
      from.set(name, path);
    }
    joined = {
      fallback: fallback === undefined ? joined.fallback : namespace(fallback, path),
      namespaces: {
        ...joined.namespaces,
        ...Object.fromEntries(Object.entries(namespaces).map(([name, value]) => [name, namespace(value, path)])),
      },
    };
  }
  return joined;
}

function files(directory: string): readonly string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith(".yaml"));
    return names.sort().map((name) => join(directory, name));
  } catch (failure) {
    const fault = toGalleyError(failure, { op: "read signature storage configuration", subject: directory });
    if (fault.code === "not_found") return [];
    throw fault;
  }
}

function parse(path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = Bun.YAML.parse(readFileSync(path, "utf8")) ?? {};
  } catch (failure) {
    throw toGalleyError(failure, { op: "read signature storage configuration", subject: path });
  }
  if (isObject(value)) return value;
  throw wrong(path, "it is not a map");
}

function namespace(value: unknown, path: string): Namespace {
  const found = isObject(value) ? value : {};
  const url = (...names: readonly string[]): string | undefined => {
    const text = names.map((name) => found[name]).find((one) => typeof one === "string" && one !== "");
    if (text === undefined) return undefined;
    if (/^(file|https?):\/\//.test(String(text))) return String(text).replace(/\/+$/, "");
    throw wrong(path, `Invalid signature storage URL ${String(text)}: file, http and https are known`);
  };
  const [lookaside, staging] = [url("lookaside", "sigstore"), url("lookaside-staging", "sigstore-staging")];
  const attachments = found["use-sigstore-attachments"];
  if (attachments !== undefined && typeof attachments !== "boolean") {
    throw wrong(path, "use-sigstore-attachments must be true or false");
  }
  return {
    ...(lookaside === undefined ? {} : { lookaside }),
    ...(staging === undefined ? {} : { staging }),
    ...(attachments === undefined ? {} : { attachments }),
  };
}

function wrong(path: string, why: string): GalleyError {
  return new GalleyError("failed_precondition", why, {
    op: "read signature storage configuration",
    subject: path,
    hint: "containers-registries.d(5) has the format",
  });
}
