import type { Schema } from "../../state/database.ts";

/** Lists of images that are being put together: the index as it is so far, and for each manifest of it the place that it comes from. */
export const listSchema: Schema = {
  component: "lists",
  steps: [
    `CREATE TABLE manifest_lists (
       name TEXT PRIMARY KEY,
       id TEXT NOT NULL,
       manifests TEXT NOT NULL,
       annotations TEXT NOT NULL,
       sources TEXT NOT NULL
     ) WITHOUT ROWID;`,
    "ALTER TABLE manifest_lists ADD COLUMN created TEXT NOT NULL DEFAULT '0001-01-01T00:00:00Z';",
    "ALTER TABLE manifest_lists ADD COLUMN subject TEXT NOT NULL DEFAULT '';",
    "ALTER TABLE manifest_lists ADD COLUMN artifacts TEXT NOT NULL DEFAULT '{}';",
  ],
};
