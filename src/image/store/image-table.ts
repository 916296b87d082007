import type { Database, SQLQueryBindings } from "bun:sqlite";
import type { Descriptor } from "../../spec/image.ts";

/** A row of `images`. */
export interface ImageRow {
  readonly id: string;
  readonly config_size: number;
  readonly manifest_digest: string;
  readonly manifest_type: string;
  readonly manifest_size: number;
  readonly size: number;
  readonly tagged_at: string;
  readonly hidden: number;
}

/** A row of `image_names`; `name` in full. */
export interface NameRow {
  readonly name: string;
  readonly image: string;
  readonly target_digest: string;
  readonly target_type: string;
  readonly target_size: number;
}

/** A layer as an image has it: size in bytes, unpacked. */
export interface LayerRow {
  readonly diff_id: string;
  readonly size: number;
}

/** An image as it is written: what the tables hold of it. */
export interface NewImage {
  readonly id: string;
  readonly configSize: number;
  readonly manifest: Descriptor;
  /** Bottom first. */
  readonly layers: readonly { readonly diffId: string; readonly size: number }[];
  /** Digests of all its content: index, manifest, configuration, layers. */
  readonly blobs: readonly string[];
  /** Signatures of the manifest as their files hold them; absent: those that are known stay. */
  readonly signatures?: readonly Uint8Array[];
}

/** Rows of the image tables, one method per statement; transactions are the callers'. */
export class ImageTable {
  constructor(private readonly db: Database) {}

  byName(name: string): ImageRow | undefined {
    const sql = "SELECT images.* FROM image_names JOIN images ON images.id = image_names.image WHERE name = ?";
    return this.db.query<ImageRow, [string]>(sql).get(name) ?? undefined;
  }

  byId(id: string): ImageRow | undefined {
    return this.db.query<ImageRow, [string]>("SELECT * FROM images WHERE id = ?").get(id) ?? undefined;
  }

  /** At most two: enough to tell a unique prefix (`sha256:ab`) from an ambiguous one. */
  byIdPrefix(prefix: string): readonly ImageRow[] {
    const sql = "SELECT * FROM images WHERE id >= ?1 AND id < ?1 || 'g' AND NOT hidden LIMIT 2";
    return this.db.query<ImageRow, [string]>(sql).all(prefix);
  }

  all(): readonly ImageRow[] {
    return this.db.query<ImageRow, []>("SELECT * FROM images").all();
  }

  name(name: string): NameRow | undefined {
    return this.db.query<NameRow, [string]>("SELECT * FROM image_names WHERE name = ?").get(name) ?? undefined;
  }

  namesOf(id: string): readonly NameRow[] {
    return this.db.query<NameRow, [string]>("SELECT * FROM image_names WHERE image = ? ORDER BY name").all(id);
  }

  allNames(): readonly NameRow[] {
    return this.db.query<NameRow, []>("SELECT * FROM image_names ORDER BY name").all();
  }

  layersOf(id: string): readonly LayerRow[] {
    const sql = "SELECT diff_id, size FROM image_layers WHERE image = ? ORDER BY position";
    return this.db.query<LayerRow, [string]>(sql).all(id);
  }

  /** Digests of all content that the image needs. */
  blobsOf(id: string): readonly string[] {
    const rows = this.db.query<{ digest: string }, [string]>("SELECT digest FROM image_blobs WHERE image = ?").all(id);
    return rows.map(({ digest }) => digest);
  }

  /** Writes the image, replacing what was known of it; its names and what else it needed are kept. */
  put(image: NewImage, now: string): void {
    const { id, configSize, manifest, layers, blobs } = image;
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    this.#run("INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?, ?, ?, 0)", [
      ...[id, configSize, manifest.digest, manifest.mediaType, manifest.size, size, now],
    ]);
    for (const [position, layer] of layers.entries()) {
      this.#run("INSERT OR REPLACE INTO image_layers VALUES (?, ?, ?, ?)", [id, position, layer.diffId, layer.size]);
    }
    for (const digest of blobs) this.#run("INSERT OR IGNORE INTO image_blobs VALUES (?, ?)", [id, digest]);
    if (image.signatures !== undefined) this.setSignatures(manifest.digest, image.signatures);
  }

  /** Signatures of a manifest, in the order in which they were found. */
  signaturesOf(manifest: string): readonly Uint8Array[] {
    const sql = "SELECT content FROM image_signatures WHERE manifest = ? ORDER BY position";
    return this.db
      .query<{ content: Uint8Array }, [string]>(sql)
      .all(manifest)
      .map(({ content }) => content);
  }

  setSignatures(manifest: string, signatures: readonly Uint8Array[]): void {
    this.#run("DELETE FROM image_signatures WHERE manifest = ?", [manifest]);
    for (const [position, content] of signatures.entries()) {
      this.#run("INSERT INTO image_signatures VALUES (?, ?, ?)", [manifest, position, content]);
    }
  }

  setName(name: string, image: string, target: Descriptor): void {
    const { digest, mediaType, size } = target;
    this.#run("INSERT OR REPLACE INTO image_names VALUES (?, ?, ?, ?, ?)", [name, image, digest, mediaType, size]);
  }

  touch(id: string, now: string): void {
    this.db.run("UPDATE images SET tagged_at = ? WHERE id = ?", [now, id]);
  }

  dropName(name: string): void {
    this.db.run("DELETE FROM image_names WHERE name = ?", [name]);
  }

  hide(id: string): void {
    this.db.run("UPDATE images SET hidden = 1 WHERE id = ?", [id]);
  }

  drop(id: string): void {
    this.db.run("DELETE FROM image_names WHERE image = ?", [id]);
    this.db.run("DELETE FROM image_layers WHERE image = ?", [id]);
    this.db.run("DELETE FROM image_blobs WHERE image = ?", [id]);
    this.db.run("DELETE FROM images WHERE id = ?", [id]);
    this.db.run("DELETE FROM image_signatures WHERE manifest NOT IN (SELECT manifest_digest FROM images)");
  }

  /** Runs a statement that is compiled once for all images. */
  #run(sql: string, values: readonly SQLQueryBindings[]): void {
    this.db.query<unknown, SQLQueryBindings[]>(sql).run(...values);
  }

  /** Whether an image, or a pull that is not finished, needs the blob or layer. */
  isNeeded(digest: string): boolean {
    const sql = `SELECT EXISTS (SELECT 1 FROM image_blobs WHERE digest = ?1)
              OR EXISTS (SELECT 1 FROM image_layers WHERE diff_id = ?1)
              OR EXISTS (SELECT 1 FROM pull_lease_items WHERE digest = ?1) AS needed`;
    return this.db.query<{ needed: number }, [string]>(sql).get(digest)?.needed === 1;
  }
}
