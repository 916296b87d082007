import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ContentStore } from "../content/content-store.ts";
import type { Snapshotter } from "../snapshot/snapshotter.ts";
import type { ImageTable } from "./image-table.ts";
import type { Leases } from "./leases.ts";
import type { Locks } from "./locks.ts";

/** Milliseconds after which a file of unknown purpose in the ingest directory is rubbish. */
const STRAY_AGE = 3600 * 1000;

export interface CollectParts {
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly table: ImageTable;
  readonly leases: Leases;
  readonly locks: Locks;
}

/**
 * Deletes blobs, layers and partial downloads that neither an image nor a lease needs; gives the bytes freed. Each is
 * deleted under its lock after one more look: who wants it protects it by a lease first and looks for it under the same lock, so
 * it is either seen as needed here or as absent there.
 */
export async function collect(parts: CollectParts): Promise<number> {
  const { content, snapshotter, leases } = parts;
  content.prepare();
  leases.expire();
  let freed = 0;
  for (const digest of blobsOf(content)) {
    freed += await unlessNeeded(parts, "blob", digest, () => content.remove(digest));
  }
  for (const { diffId, size } of await snapshotter.list()) {
    freed += await unlessNeeded(parts, "layer", diffId, async () => {
      await snapshotter.remove(diffId);
      return size;
    });
  }
  return freed + (await collectIngest(parts));
}

async function unlessNeeded(
  { table, locks }: CollectParts,
  kind: "blob" | "layer",
  digest: string,
  remove: () => number | Promise<number>,
): Promise<number> {
  if (table.isNeeded(digest)) return 0;
  using lock = locks.try(kind, digest);
  return lock === undefined || table.isNeeded(digest) ? 0 : await remove();
}

function blobsOf(content: ContentStore): readonly string[] {
  return ["sha256", "sha512"].flatMap((algorithm) =>
    readdirSync(join(content.directory, "blobs", algorithm)).map((hex) => `${algorithm}:${hex}`),
  );
}

async function collectIngest(parts: CollectParts): Promise<number> {
  let freed = 0;
  for (const name of readdirSync(parts.content.ingestDirectory)) {
    const path = join(parts.content.ingestDirectory, name);
    const lock = /^(blob|layer|lease)-(sha\d+-)?(.+)\.lock$/.exec(name);
    const partial = /^(sha256|sha512)-([0-9a-f]+)$/.exec(name);
    if (lock !== null) {
      // Taking and giving back a lock that nobody holds deletes its file.
      const kind = lock[1] as "blob" | "layer" | "lease";
      parts.locks.try(kind, `${(lock[2] ?? "").replace("-", ":")}${lock[3]}`)?.[Symbol.dispose]();
    } else if (partial !== null) {
      freed += await unlessNeeded(parts, "blob", `${partial[1]}:${partial[2]}`, () => removeFile(path));
    } else if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > STRAY_AGE) {
      freed += removeFile(path);
    }
  }
  return freed;
}

function removeFile(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  rmSync(path, { force: true });
  return size;
}
