import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../fuzz/random.ts";
import type { Store } from "../harness/galley.ts";
import { digestOf } from "../harness/image-builder.ts";

interface ImageRow {
  readonly id: string;
  readonly hidden: number;
}

/** What is wrong with a store in which nothing goes on: an image that is not whole, or does not run; content that nothing accounts for. */
export async function faultsOf(store: Store, random: Random): Promise<readonly string[]> {
  const database = new Database(join(store.root, "galley.db"), { readonly: true });
  try {
    const images = database.query<ImageRow, []>("SELECT id, hidden FROM images").all();
    const faults = images.flatMap(({ id }) => [
      ...missingBlobs(store.root, database, id),
      ...missingLayers(store.root, database, id),
    ]);
    return [...faults, ...strayBlobs(store.root, database), ...(await failingRuns(store, images, random))];
  } finally {
    database.close();
  }
}

function missingBlobs(root: string, database: Database, id: string): readonly string[] {
  const rows = database.query<{ digest: string }, [string]>("SELECT digest FROM image_blobs WHERE image = ?").all(id);
  return rows.flatMap(({ digest }) => {
    const path = join(root, "content/blobs", digest.replace(":", "/"));
    if (!existsSync(path)) return [`image ${id} has lost the blob ${digest}`];
    return digestOf(readFileSync(path)) === digest ? [] : [`the blob ${digest} of image ${id} is another one`];
  });
}

function missingLayers(root: string, database: Database, id: string): readonly string[] {
  const rows = database
    .query<{ diff_id: string }, [string]>("SELECT diff_id FROM image_layers WHERE image = ?")
    .all(id);
  const layers = new Set(readdirSync(join(root, "layers/sha256")));
  return rows.flatMap(({ diff_id }) =>
    layers.has(diff_id.slice("sha256:".length)) ? [] : [`image ${id} has lost the layer ${diff_id}`],
  );
}

/** Blobs that neither an image nor what a killed pull left for the next one accounts for, but for those just being collected when their collector was killed. */
function strayBlobs(root: string, database: Database): readonly string[] {
  const known = new Set(
    database
      .query<{ digest: string }, []>("SELECT digest FROM image_blobs UNION SELECT digest FROM pull_lease_items")
      .all()
      .map(({ digest }) => digest),
  );
  const young = (path: string) => Date.now() - statSync(path).ctimeMs < 600_000;
  const blobs = join(root, "content/blobs/sha256");
  return readdirSync(blobs)
    .filter((hex) => !known.has(`sha256:${hex}`) && !young(join(blobs, hex)))
    .map((hex) => `the blob ${hex} belongs to nobody`);
}

async function failingRuns(store: Store, images: readonly ImageRow[], random: Random): Promise<readonly string[]> {
  const visible = images.filter(({ hidden }) => hidden === 0);
  if (visible.length === 0) return [];
  const { id } = random.one(visible);
  const { status, stderr } = await store.galley(["run", "--rm", "--network", "none", id, "true"], { timeout: 240_000 });
  return status === 0 ? [] : [`image ${id} does not run: ${stderr.trim()}`];
}

/** Everything of images that a store still holds after all were removed. */
export function remainsOf(root: string, database: Database): readonly string[] {
  const folders = [
    "content/blobs/sha256",
    "content/blobs/sha512",
    "content/ingest",
    "layers/sha256",
    "layers/ingest",
    "layers/locks",
  ];
  const files = folders.flatMap((folder) =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((name) => join(folder, name)) : [],
  );
  const tables = ["images", "image_names", "image_layers", "image_blobs", "pull_leases", "pull_lease_items"];
  const rows = tables.flatMap((table) =>
    database
      .query<object, []>(`SELECT * FROM ${table}`)
      .all()
      .map((row) => `${table}: ${JSON.stringify(row)}`),
  );
  return [...files, ...rows].map((what) => `left: ${what}`);
}
