import type { Schema } from "../../state/database.ts";

/** What layers take on the disk, as it was measured; `stamp` tells whether the directory is still the one that was measured. */
export const usageSchema: Schema = {
  component: "usage",
  steps: [
    `CREATE TABLE layer_usage (
       diff_id TEXT PRIMARY KEY,
       stamp TEXT NOT NULL,
       bytes INTEGER NOT NULL
     ) WITHOUT ROWID;`,
  ],
};
