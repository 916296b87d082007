import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GalleyError, restated, toGalleyError } from "../../errors.ts";
import { tryParseDigest } from "../../image/digest.ts";
import { parseReference, type Reference, repositoryOf } from "../../image/reference.ts";
import type { PlaceOptions } from "../../image/transports/open-place.ts";
import type { PlaceName } from "../../image/transports/place-name.ts";
import { RegistryClients, type RegistryOptions } from "../../image/transports/registry/clients.ts";
import { Repository } from "../../image/transports/registry/repository.ts";
import { versionRange } from "./version-range.ts";

/** One image that is to be copied, and what it is called below the destination. */
export interface SyncImage {
  readonly from: PlaceName;
  readonly options: PlaceOptions;
  /** The whole path, for `--scoped`, and its last part: `registry/a/b:1` and `b:1`. */
  readonly scoped: string;
  readonly short: string;
}

/** What goes wrong with one repository of many is reported, and the others go on. */
export type Complain = (failure: unknown) => void;

/** Images of a repository, or the one of it that is named. */
export async function registryImages(source: string, options: PlaceOptions): Promise<readonly SyncImage[]> {
  const reference = parseReference(source);
  if (reference.tag !== undefined || reference.digest !== undefined) return [image(reference, options)];
  const images = (await tagged(reference, options)).map((one) => image(one, options));
  if (images.length === 0) throw nothing(source);
  return images;
}

async function tagged(reference: Reference, options: PlaceOptions): Promise<readonly Reference[]> {
  const repository = new Repository(new RegistryClients(options.registry), reference);
  const tags = await repository.tags(options).catch((failure: unknown) => {
    const op = "Error determining repository tags for repo";
    throw restated(toGalleyError(failure), { op, subject: `${repositoryOf(reference)}: fetching tags list` });
  });
  return tags.map((tag) => ({ ...reference, tag }));
}

function image(reference: Reference, options: PlaceOptions): SyncImage {
  const { digest, tag, path } = reference;
  const suffix = digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`;
  const short = path.slice(path.lastIndexOf("/") + 1) + suffix;
  return { from: { transport: "docker", reference }, options, scoped: repositoryOf(reference) + suffix, short };
}

function nothing(source: string): GalleyError {
  return new GalleyError("not_found", `No images to sync found in ${JSON.stringify(source)}`, { op: "sync" });
}

/** Images of `dir:` in and below a directory. */
export function directoryImages(source: string, options: PlaceOptions): readonly SyncImage[] {
  if (!existsSync(source))
    throw new GalleyError("not_found", "Invalid source directory specified", { op: "sync", subject: source });
  const found: SyncImage[] = [];
  const walk = (directory: string, below: string): void => {
    const entries = readdirSync(directory, { withFileTypes: true });
    if (entries.some((entry) => entry.isFile() && entry.name === "manifest.json")) {
      const scoped = below === "" ? (directory.replace(/\/+$/, "").split("/").at(-1) ?? "") : below;
      const short = scoped.split("/").at(-1) ?? "";
      found.push({ from: { transport: "dir", path: directory }, options, scoped: join(source, below), short });
      return;
    }
    for (const { name } of entries.filter((entry) => entry.isDirectory()))
      walk(join(directory, name), join(below, name));
  };
  walk(source, "");
  if (found.length === 0) throw nothing(source);
  return found;
}

/** What a file for `--src yaml` says of one registry (skopeo-sync(1)). */
interface RegistrySettings {
  readonly images?: Readonly<Record<string, readonly unknown[] | null>> | null;
  readonly "images-by-tag-regex"?: Readonly<Record<string, unknown>> | null;
  readonly "images-by-semver"?: Readonly<Record<string, unknown>> | null;
  readonly credentials?: { readonly username?: unknown; readonly password?: unknown } | null;
  readonly "tls-verify"?: unknown;
  readonly "cert-dir"?: unknown;
}

/** Images that a YAML file names, registry by registry. */
export async function fileImages(
  path: string,
  options: PlaceOptions,
  complain: Complain,
): Promise<readonly SyncImage[]> {
  const found: SyncImage[] = [];
  for (const [registry, settings] of Object.entries(readFile(path))) {
    const own = { ...options, registry: registryOf(options.registry ?? {}, settings ?? {}) };
    for (const [repository, wanted] of repositories(settings ?? {})) {
      try {
        const references = await wanted(parseRepository(`${registry}/${repository}`), own);
        found.push(...references.map((reference) => image(reference, own)));
      } catch (failure) {
        complain(failure);
      }
    }
  }
  return found;
}

function readFile(path: string): Readonly<Record<string, RegistrySettings | null>> {
  let value: unknown;
  try {
    value = Bun.YAML.parse(quotedNumbers(readFileSync(path, "utf8")));
  } catch (failure) {
    throw toGalleyError(failure, { op: "read", subject: path });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, RegistrySettings | null>>;
  }
  throw new GalleyError("invalid_argument", "it is not a map of registries", { op: "read", subject: path });
}

/** Tags such as `1.0` are text here, and to YAML numbers, whose zeros would be lost: those in lists are put in quotes. */
function quotedNumbers(text: string): string {
  return text
    .replace(/^(\s*-\s+)([0-9][0-9._]*)(\s*(?:#.*)?)$/gm, '$1"$2"$3')
    .replace(/(?<=[[,]\s*)([0-9][0-9._]*)(?=\s*[\],])/g, '"$1"');
}

function registryOf(options: RegistryOptions, settings: RegistrySettings): RegistryOptions {
  const { credentials, "tls-verify": verify, "cert-dir": certificates } = settings;
  const { username, password } = credentials ?? {};
  return {
    ...options,
    ...(typeof username === "string"
      ? { credentials: { kind: "password", username, password: String(password ?? "") } }
      : {}),
    ...(typeof verify === "boolean" ? { tlsVerify: verify } : {}),
    ...(typeof certificates === "string" && certificates !== "" ? { certificates } : {}),
  };
}

type Wanted = (repository: Reference, options: PlaceOptions) => Promise<readonly Reference[]>;

function repositories(settings: RegistrySettings): readonly (readonly [string, Wanted])[] {
  const listed = Object.entries(settings.images ?? {}).map(
    ([name, names]) => [name, listedImages(names ?? [])] as const,
  );
  const patterns = Object.entries(settings["images-by-tag-regex"] ?? {}).map(
    ([name, pattern]) => [name, matching((tag) => new RegExp(String(pattern)).test(tag))] as const,
  );
  const ranges = Object.entries(settings["images-by-semver"] ?? {}).map(
    ([name, range]) => [name, matching(versionRange(String(range)))] as const,
  );
  return [...listed, ...patterns, ...ranges];
}

function listedImages(names: readonly unknown[]): Wanted {
  if (names.length === 0) return tagged;
  return async (repository) =>
    names.map((name) => {
      const text = String(name);
      const suffix = tryParseDigest(text) === undefined ? `:${text}` : `@${text}`;
      return parseReference(repositoryOf(repository) + suffix);
    });
}

function matching(fits: (tag: string) => boolean): Wanted {
  return async (repository, options) => (await tagged(repository, options)).filter(({ tag }) => fits(tag ?? ""));
}

function parseRepository(text: string): Reference {
  const reference = parseReference(text);
  if (reference.tag === undefined && reference.digest === undefined) return reference;
  throw new GalleyError("invalid_argument", "input names a reference, not a repository", { op: "sync", subject: text });
}
