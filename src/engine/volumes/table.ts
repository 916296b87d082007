import type { Database } from "bun:sqlite";

export interface VolumeRow {
  readonly name: string;
  readonly created: string;
  /** JSON. */
  readonly labels: string;
  readonly anonymous: number;
  readonly copying: number;
}

export type NewVolume = Omit<VolumeRow, "copying">;

/** The volumes' rows. Whoever reads and then writes does so in {@link VolumeTable.change}. */
export class VolumeTable {
  constructor(private readonly database: Database) {}

  get inTransaction(): boolean {
    return this.database.inTransaction;
  }

  get(name: string): VolumeRow | undefined {
    return this.database.query<VolumeRow, [string]>("SELECT * FROM volumes WHERE name = ?").get(name) ?? undefined;
  }

  all(): readonly VolumeRow[] {
    return this.database.query<VolumeRow, []>("SELECT * FROM volumes ORDER BY name").all();
  }

  /** Whether the volume was not there before. */
  add(row: NewVolume): boolean {
    const { name, created, labels, anonymous } = row;
    const sql = "INSERT OR IGNORE INTO volumes (name, created, labels, anonymous) VALUES (?, ?, ?, ?)";
    return this.database.query(sql).run(name, created, labels, anonymous).changes > 0;
  }

  setCopying(name: string, copying: boolean): void {
    this.database.query("UPDATE volumes SET copying = ? WHERE name = ?").run(copying ? 1 : 0, name);
  }

  delete(name: string): void {
    this.database.query("DELETE FROM volumes WHERE name = ?").run(name);
  }

  /** Runs `work` in one transaction that begins by writing, so that nobody else changes what it reads. */
  change<T>(work: () => T): T {
    return this.database.transaction(work).immediate();
  }
}
