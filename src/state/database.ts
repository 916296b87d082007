import { constants, Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { GalleyError, toGalleyError } from "../errors.ts";

/**
 * One tier's tables. `steps[n]` is the SQL that takes version n to n + 1; steps that have shipped never change,
 * new ones are appended. Every tier owns its tables and names them with its own prefix-free nouns.
 */
export interface Schema {
  readonly component: string;
  readonly steps: readonly string[];
}

/** How long a writer waits for another process's transaction, in milliseconds: far above any transaction of ours. */
const BUSY_TIMEOUT = 30_000;

/**
 * Pages after which the log is written back. Commands leave without closing the database, so the next one to open it reads the log's
 * frames anew: a short log keeps that far below a millisecond.
 */
const LOG_PAGES = 100;

/** The same while there are thousands of transactions one after the other: each writing back waits for the disk twice. */
const MANY_LOG_PAGES = 4000;

/**
 * Opens the store's database in WAL mode, creating it and bringing each schema up to date.
 *
 * `synchronous=NORMAL` loses at most the last transactions at a power cut and never corrupts; a killed process loses
 * nothing. The log and its index stay when the last user goes: a store is opened where the disk has no room for new ones. Fails with `failed_precondition` where the store was written by a
 * newer Galley.
 */
export function openDatabase(path: string, schemas: readonly Schema[]): Database {
  const database = create(path);
  try {
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    database.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1);
    if (!isCurrent(database, schemas)) migrate(database, path, schemas);
    database.run("PRAGMA synchronous = NORMAL");
    database.run(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    return database;
  } catch (failure) {
    database.close();
    throw toGalleyError(failure, { op: "open", subject: path });
  }
}

/** Kibibytes of pages that are held in memory, in place of two thousand. */
const LARGE_CACHE = 32_000;

/**
 * For large transactions, or many of them: lets the log grow longer until the value is disposed of, whereupon the next transaction writes it
 * back, and gives this connection more memory.
 */
export function withLongLog(database: Database): Disposable {
  database.run(`PRAGMA wal_autocheckpoint = ${MANY_LOG_PAGES}`);
  database.run(`PRAGMA cache_size = -${LARGE_CACHE}`);
  return { [Symbol.dispose]: () => database.run(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`) };
}

function create(path: string): Database {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return new Database(path, { create: true, strict: true });
  } catch (failure) {
    throw toGalleyError(failure, {
      op: "open",
      subject: path,
      hint: "is the directory writable? --root names another",
    });
  }
}

/** `user_version` is the sum of all schema versions: one read tells an up-to-date store from any other. */
function isCurrent(database: Database, schemas: readonly Schema[]): boolean {
  const wanted = schemas.reduce((sum, schema) => sum + schema.steps.length, 0);
  const row = database.query<{ user_version: number }, []>("PRAGMA user_version").get();
  return row?.user_version === wanted;
}

function migrate(database: Database, path: string, schemas: readonly Schema[]): void {
  untilUnlocked(() => database.run("PRAGMA journal_mode = WAL"));
  const upgrade = database.transaction(() => {
    database.run("CREATE TABLE IF NOT EXISTS schema_versions (component TEXT PRIMARY KEY, version INTEGER NOT NULL)");
    for (const schema of schemas) migrateOne(database, path, schema);
    database.run(`PRAGMA user_version = ${schemas.reduce((sum, schema) => sum + schema.steps.length, 0)}`);
  });
  upgrade.immediate();
}

/** SQLite does not wait by itself where many processes switch a new database to WAL at once. */
function untilUnlocked(act: () => void): void {
  const end = performance.now() + BUSY_TIMEOUT;
  for (;;) {
    try {
      act();
      return;
    } catch (failure) {
      const { code } = failure as { code?: unknown };
      if (typeof code !== "string" || !code.startsWith("SQLITE_BUSY") || performance.now() > end) throw failure;
      Bun.sleepSync(5);
    }
  }
}

function migrateOne(database: Database, path: string, schema: Schema): void {
  const row = database
    .query<{ version: number }, [string]>("SELECT version FROM schema_versions WHERE component = ?")
    .get(schema.component);
  const version = row?.version ?? 0;
  if (version > schema.steps.length) throw newerStore(path, schema, version);
  for (const sql of schema.steps.slice(version)) database.run(sql);
  database.run("INSERT OR REPLACE INTO schema_versions VALUES (?, ?)", [schema.component, schema.steps.length]);
}

function newerStore(path: string, schema: Schema, version: number): GalleyError {
  return new GalleyError(
    "failed_precondition",
    `the store was written by a newer Galley (${schema.component} schema ${version}, this one knows ${schema.steps.length})`,
    { op: "open", subject: path, hint: "use that version, or another --root" },
  );
}
