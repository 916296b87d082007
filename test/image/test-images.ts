import type { Database } from "bun:sqlite";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Images, imageSchema, openImages } from "../../src/image/images.ts";
import { OverlayDirectories } from "../../src/image/snapshot/overlay-directories.ts";
import { openDatabase } from "../../src/state/database.ts";
import { storePaths } from "../../src/state/paths.ts";

/** The images of a store as the engine opens them, without containers. */
export interface TestImages {
  readonly images: Images;
  readonly snapshotter: OverlayDirectories;
  readonly database: Database;
  readonly content: string;
  /** What a pull that failed must not leave: blobs, partial content, layers, rows. */
  remains(): readonly string[];
}

export function openTestImages(root: string): TestImages {
  const paths = storePaths(root, join(root, "run"));
  const database = openDatabase(paths.database, [imageSchema]);
  const snapshotter = new OverlayDirectories(paths.layers);
  const images = openImages({ database, paths, snapshotter, inUse: () => [] });
  const listed = (directory: string) =>
    existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
  const remains = () => [
    ...["blobs/sha256", "blobs/sha512", "ingest"].flatMap((name) => listed(join(paths.content, name))),
    ...["sha256", "sha512"].flatMap((name) => listed(join(paths.layers, name))),
    ...["images", "image_names", "image_layers", "image_blobs", "pull_leases", "pull_lease_items"].flatMap((table) =>
      database
        .query<object, []>(`SELECT * FROM ${table}`)
        .all()
        .map((row) => `${table} ${JSON.stringify(row)}`),
    ),
  ];
  return { images, snapshotter, database, content: paths.content, remains };
}
