import type { Schema } from "../../state/database.ts";

/**
 * The volumes' table. `created` is RFC 3339 text, `labels` a JSON object. `copying` is 1 while an image's content is being copied
 * into the volume: where a crash leaves it so, the next container begins the copy anew.
 */
export const volumesSchema: Schema = {
  component: "volumes",
  steps: [
    `CREATE TABLE volumes (
       name TEXT PRIMARY KEY,
       created TEXT NOT NULL,
       labels TEXT NOT NULL,
       anonymous INTEGER NOT NULL,
       copying INTEGER NOT NULL DEFAULT 0
     ) WITHOUT ROWID;`,
  ],
};
