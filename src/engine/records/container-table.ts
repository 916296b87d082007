import type { Database } from "bun:sqlite";
import type { ContainerRecord, Made, Started } from "./record.ts";

interface Row {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly created: string;
  readonly made: string;
  readonly started: string | null;
}

const COLUMNS = "id, name, image, created, made, started";

/** The records of containers. Each method is one statement; transactions are the caller's. */
export class ContainerTable {
  constructor(readonly database: Database) {}

  byId(id: string): ContainerRecord | undefined {
    return this.#one("id = ?", id);
  }

  byName(name: string): ContainerRecord | undefined {
    return this.#one("name = ?", name);
  }

  /** At most two whose IDs begin so. */
  byPrefix(prefix: string): readonly ContainerRecord[] {
    const sql = `SELECT ${COLUMNS} FROM containers WHERE id >= ? AND id < ? LIMIT 2`;
    return this.database.query<Row, [string, string]>(sql).all(prefix, `${prefix}g`).map(recordOf);
  }

  /** Newest first. */
  all(): readonly ContainerRecord[] {
    const sql = `SELECT ${COLUMNS} FROM containers ORDER BY created DESC`;
    return this.database.query<Row, []>(sql).all().map(recordOf);
  }

  usersOf(imageId: string): readonly ContainerRecord[] {
    const sql = `SELECT ${COLUMNS} FROM containers WHERE image = ?`;
    return this.database.query<Row, [string]>(sql).all(imageId).map(recordOf);
  }

  /** IDs of those that a volume belongs to. */
  idsWithVolume(name: string): readonly string[] {
    const sql = `SELECT id FROM containers WHERE EXISTS (
      SELECT 1 FROM json_each(made, '$.resolved.volumes') WHERE value ->> 'name' = ?)`;
    return this.database
      .query<{ id: string }, [string]>(sql)
      .all(name)
      .map(({ id }) => id);
  }

  /** IDs of those that go when they end. */
  idsToRemove(): readonly string[] {
    const sql = "SELECT id FROM containers WHERE auto_remove = 1";
    return this.database
      .query<{ id: string }, []>(sql)
      .all()
      .map(({ id }) => id);
  }

  insert({ id, name, imageId, created, made }: ContainerRecord): void {
    this.database
      .query("INSERT INTO containers (id, name, image, created, auto_remove, made) VALUES (?, ?, ?, ?, ?, ?)")
      .run(id, name, imageId, created, made.spec.autoRemove === true ? 1 : 0, JSON.stringify(made));
  }

  setMade(id: string, made: Made): void {
    this.database.query("UPDATE containers SET made = ? WHERE id = ?").run(JSON.stringify(made), id);
  }

  setStarted(id: string, started: Started): void {
    this.database.query("UPDATE containers SET started = ? WHERE id = ?").run(JSON.stringify(started), id);
  }

  rename(id: string, name: string): void {
    this.database.query("UPDATE containers SET name = ? WHERE id = ?").run(name, id);
  }

  delete(id: string): void {
    this.database.query("DELETE FROM containers WHERE id = ?").run(id);
  }

  #one(condition: string, value: string): ContainerRecord | undefined {
    const row = this.database.query<Row, [string]>(`SELECT ${COLUMNS} FROM containers WHERE ${condition}`).get(value);
    return row === null ? undefined : recordOf(row);
  }
}

function recordOf(row: Row): ContainerRecord {
  return {
    id: row.id,
    name: row.name,
    imageId: row.image,
    created: row.created,
    made: JSON.parse(row.made) as Made,
    started: row.started === null ? undefined : (JSON.parse(row.started) as Started),
  };
}
