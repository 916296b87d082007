import type { Schema } from "../../state/database.ts";

/**
 * The image tier's tables.
 *
 * `images` is keyed by the digest of the configuration; `hidden` images were removed by force while containers used them, and go with
 * the last of those. `image_names` holds tags (`docker.io/library/busybox:latest`) and repository digests (`…@sha256:…`), each with
 * the manifest or index it leads to. `image_layers` is bottom first, sizes unpacked. `image_blobs` lists all content
 * that an image needs, so that what nobody needs can be deleted. A `pull_lease` keeps content of an unfinished pull.
 * `image_signatures` are those that manifests came with, encoded as in files.
 * `image_signatures` are those that manifests came with.
 */
export const imageSchema: Schema = {
  component: "image",
  steps: [
    `CREATE TABLE images (
       id TEXT PRIMARY KEY,
       config_size INTEGER NOT NULL,
       manifest_digest TEXT NOT NULL,
       manifest_type TEXT NOT NULL,
       manifest_size INTEGER NOT NULL,
       size INTEGER NOT NULL,
       tagged_at TEXT NOT NULL,
       hidden INTEGER NOT NULL DEFAULT 0
     ) WITHOUT ROWID;
     CREATE TABLE image_names (
       name TEXT PRIMARY KEY,
       image TEXT NOT NULL,
       target_digest TEXT NOT NULL,
       target_type TEXT NOT NULL,
       target_size INTEGER NOT NULL
     ) WITHOUT ROWID;
     CREATE INDEX image_names_by_image ON image_names (image);
     CREATE TABLE image_layers (
       image TEXT NOT NULL,
       position INTEGER NOT NULL,
       diff_id TEXT NOT NULL,
       size INTEGER NOT NULL,
       PRIMARY KEY (image, position)
     ) WITHOUT ROWID;
     CREATE INDEX image_layers_by_diff_id ON image_layers (diff_id);
     CREATE TABLE image_blobs (
       image TEXT NOT NULL,
       digest TEXT NOT NULL,
       PRIMARY KEY (image, digest)
     ) WITHOUT ROWID;
     CREATE INDEX image_blobs_by_digest ON image_blobs (digest);
     CREATE TABLE pull_leases (
       id TEXT PRIMARY KEY,
       started INTEGER NOT NULL
     ) WITHOUT ROWID;
     CREATE TABLE pull_lease_items (
       lease TEXT NOT NULL,
       digest TEXT NOT NULL,
       PRIMARY KEY (lease, digest)
     ) WITHOUT ROWID;
     CREATE INDEX pull_lease_items_by_digest ON pull_lease_items (digest);`,
    `CREATE TABLE image_signatures (
       manifest TEXT NOT NULL,
       position INTEGER NOT NULL,
       content BLOB NOT NULL,
       PRIMARY KEY (manifest, position)
     ) WITHOUT ROWID;`,
  ],
};
