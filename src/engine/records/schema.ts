import type { Schema } from "../../state/database.ts";

/**
 * The tables of containers. `made` is JSON of what never changes after the creation, `started` of what the last start decided.
 * `container_operations` holds who is changing a container right now; see locks.ts.
 */
export const containerSchema: Schema = {
  component: "containers",
  steps: [
    `CREATE TABLE containers (
       id TEXT PRIMARY KEY,
       name TEXT NOT NULL UNIQUE,
       image TEXT NOT NULL,
       created TEXT NOT NULL,
       auto_remove INTEGER NOT NULL,
       made TEXT NOT NULL,
       started TEXT
     ) WITHOUT ROWID;
     CREATE INDEX containers_by_image ON containers (image);
     CREATE INDEX containers_to_remove ON containers (id) WHERE auto_remove = 1;
     CREATE TABLE container_operations (
       container TEXT PRIMARY KEY,
       kind TEXT NOT NULL,
       pid INTEGER NOT NULL,
       start_time TEXT NOT NULL,
       namespace TEXT NOT NULL
     ) WITHOUT ROWID;`,
  ],
};
