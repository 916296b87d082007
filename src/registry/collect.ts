import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ImageIndex, ImageManifest } from "../spec/image.ts";
import type { RegistryStore } from "./store/registry-store.ts";
import type { Repository } from "./store/repository.ts";
import { type RepositoryIndex, withoutManifest } from "./store/repository-index.ts";

export interface CollectOptions {
  /** Milliseconds since 1970: what came later is kept, since it may be part of a push that is not complete. */
  readonly before: number;
  /** Also manifests that no tag leads to, neither directly nor through an index or as their referrer. */
  readonly untagged: boolean;
  /** Uploads that have stood still since go; default: `before`. */
  readonly uploadsBefore?: number;
  /** Told of each blob and manifest that goes, with the repository it goes from; the pool has no name. */
  readonly onRemoved?: (digest: string, repository: string) => void;
}

/**
 * Deletes what nothing needs: blobs that no manifest of their repository names, uploads given up, remains of killed servers. Gives the
 * bytes that were freed. The process that has the storage may serve it meanwhile: what it is asked about becomes young by that
 * (`Repository.claim`), and nothing is awaited between the last look at something and its removal.
 */
export async function collectGarbage(store: RegistryStore, options: CollectOptions): Promise<number> {
  let freed = 0;
  for (const name of store.directories()) {
    const { content, uploads } = store.open(name);
    freed += await uploads.expire(options.uploadsBefore ?? options.before);
    if (!content.exists) continue;
    if (options.untagged) freed += await removeUntagged(content, options);
    freed += sweepRepository(content, options);
    await Bun.sleep(0); // Others have their turn.
  }
  return freed + (await sweepPool(store, options)) + sweepRemains(store.pool.ingestDirectory, options);
}

async function removeUntagged(repository: Repository, { before, onRemoved }: CollectOptions): Promise<number> {
  const kept = reachable(repository, repository.index);
  let freed = 0;
  for (const digest of repository.index.manifests.keys()) {
    const isOld = () => isOlder(repository.pathOf(digest), before);
    if (kept.has(digest) || !isOld()) continue;
    // A tag may have come to it since, or come now.
    await repository.change((index) =>
      isOld() && !reachable(repository, index).has(digest) ? withoutManifest(digest)(index) : index,
    );
    if (repository.index.manifests.has(digest) || !isOld()) continue;
    freed += repository.unlink(digest);
    onRemoved?.(digest, repository.name);
  }
  return freed;
}

/** Manifests that tags lead to, with those that they list and those that are about any of them. */
function reachable(repository: Repository, index: RepositoryIndex): ReadonlySet<string> {
  const kept = new Set<string>();
  const left = [...index.tags.values()];
  for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
    if (kept.has(digest) || !index.manifests.has(digest)) continue;
    kept.add(digest);
    left.push(...namedBy(repository, digest), ...(index.referrers.get(digest) ?? []));
  }
  return kept;
}

function sweepRepository(repository: Repository, { before, onRemoved }: CollectOptions): number {
  const needed = new Set(repository.index.manifests.keys());
  for (const digest of repository.index.manifests.keys())
    for (const one of namedBy(repository, digest)) needed.add(one);
  let freed = 0;
  for (const [digest, path] of blobsIn(repository.directory)) {
    if (needed.has(digest) || !isOlder(path, before)) continue;
    freed += repository.unlink(digest);
    onRemoved?.(digest, repository.name);
  }
  return freed;
}

/** Digests that a manifest or index names. */
function namedBy(repository: Repository, digest: string): readonly string[] {
  if (repository.sizeOf(digest) === undefined) return [];
  const document = JSON.parse(Buffer.from(repository.read(digest)).toString("utf8")) as Partial<
    ImageManifest & ImageIndex
  >;
  const { config, layers = [], manifests = [] } = document;
  return [...(config === undefined ? [] : [config]), ...layers, ...manifests].map((one) => one.digest);
}

/** What only the pool holds: no repository has it, or not any more. */
async function sweepPool({ pool }: RegistryStore, { before, onRemoved }: CollectOptions): Promise<number> {
  let freed = 0;
  for (const [position, [digest, path]] of blobsIn(pool.directory).entries()) {
    if (position % 1000 === 999) await Bun.sleep(0);
    if (!isOlder(path, before) || statSync(path).nlink > 1) continue;
    freed += pool.remove(digest);
    onRemoved?.(digest, "");
  }
  return freed;
}

function sweepRemains(directory: string, { before }: CollectOptions): number {
  let freed = 0;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (!isOlder(path, before)) continue;
    freed += statSync(path).size;
    rmSync(path);
  }
  return freed;
}

function blobsIn(directory: string): readonly (readonly [digest: string, path: string])[] {
  return ["sha256", "sha512"].flatMap((algorithm) => {
    const folder = join(directory, "blobs", algorithm);
    return readdirSync(folder).map((hex) => [`${algorithm}:${hex}`, join(folder, hex)] as const);
  });
}

/** By the time of its last link or claim: what was mounted a moment ago may have been written long before. What is gone is not. */
function isOlder(path: string, before: number): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Number.POSITIVE_INFINITY) < before;
}
