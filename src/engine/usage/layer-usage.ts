import type { Database } from "bun:sqlite";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { diskUsage } from "./disk-usage.ts";

interface Row {
  readonly diff_id: string;
  readonly stamp: string;
  readonly bytes: number;
}

/** Bytes on disk of each layer that is kept, by diff ID. A layer does not change, so each is walked through once and remembered. */
export function layerUsage(database: Database, layers: string): ReadonlyMap<string, number> {
  const known = new Map(
    database
      .query<Row, []>("SELECT * FROM layer_usage")
      .all()
      .map((row) => [row.diff_id, row]),
  );
  const now = layersIn(layers).map((layer) => measured(layer, known.get(layer.diffId)));
  remember(
    database,
    now.filter((row) => known.get(row.diff_id) !== row),
    [...known.keys()],
    now,
  );
  return new Map(now.map(({ diff_id, bytes }) => [diff_id, bytes]));
}

interface LayerDirectory {
  readonly diffId: string;
  readonly path: string;
}

function layersIn(layers: string): readonly LayerDirectory[] {
  return ["sha256", "sha512"].flatMap((algorithm) =>
    namesIn(join(layers, algorithm)).map((hex) => ({
      diffId: `${algorithm}:${hex}`,
      path: join(layers, algorithm, hex),
    })),
  );
}

function measured({ diffId, path }: LayerDirectory, known: Row | undefined): Row {
  const status = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const stamp = `${status?.ino} ${status?.ctimeNs}`;
  return known?.stamp === stamp ? known : { diff_id: diffId, stamp, bytes: diskUsage(path) };
}

function remember(database: Database, fresh: readonly Row[], before: readonly string[], now: readonly Row[]): void {
  const there = new Set(now.map(({ diff_id }) => diff_id));
  const gone = before.filter((diffId) => !there.has(diffId));
  if (fresh.length + gone.length === 0) return;
  const work = () => {
    for (const { diff_id, stamp, bytes } of fresh)
      database.run("INSERT OR REPLACE INTO layer_usage VALUES (?, ?, ?)", [diff_id, stamp, bytes]);
    for (const diffId of gone) database.run("DELETE FROM layer_usage WHERE diff_id = ?", [diffId]);
  };
  database.transaction(work).immediate();
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (failure) {
    if ((failure as { code?: unknown }).code === "ENOENT") return [];
    throw failure;
  }
}
