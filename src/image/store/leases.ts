import type { Database } from "bun:sqlite";
import type { Locks } from "./locks.ts";

/** Milliseconds for which what an interrupted pull brought in is kept, so that the next pull need not fetch it again. */
const KEEP = 24 * 3600 * 1000;

/**
 * Protection for content that no image needs yet. A lease is a row with the digests it protects; while its pull runs, the pull holds the
 * lease's lock, so a lease whose lock is free belongs to a pull that was killed or gave up.
 */
export class Leases {
  constructor(
    private readonly db: Database,
    private readonly locks: Locks,
  ) {}

  async open(): Promise<Lease> {
    const id = crypto.randomUUID();
    const lock = await this.locks.take("lease", id);
    this.db.run("INSERT INTO pull_leases VALUES (?, ?)", [id, Date.now()]);
    return new Lease(this.db, id, lock);
  }

  /** Ends leases that nobody holds: those older than a day, empty ones, and those that are about one of `digests`. Gives how many there were. */
  expire(digests: readonly string[] = []): number {
    const sql = `SELECT id FROM pull_leases WHERE started < ?1
                 OR id IN (SELECT lease FROM pull_lease_items WHERE digest IN (SELECT value FROM json_each(?2)))
                 OR id NOT IN (SELECT lease FROM pull_lease_items)`;
    const rows = this.db.query<{ id: string }, [number, string]>(sql).all(Date.now() - KEEP, JSON.stringify(digests));
    return rows.filter(({ id }) => this.#expireOne(id)).length;
  }

  /** Ends all leases that nobody holds, however young. */
  expireAll(): void {
    for (const { id } of this.db.query<{ id: string }, []>("SELECT id FROM pull_leases").all()) this.#expireOne(id);
  }

  #expireOne(id: string): boolean {
    using lock = this.locks.try("lease", id);
    if (lock !== undefined) deleteLease(this.db, id);
    return lock !== undefined;
  }
}

/** One pull's lease; {@link Lease.end} or {@link Lease.keep} it. */
export class Lease {
  #isEmpty = true;

  constructor(
    private readonly db: Database,
    readonly id: string,
    private readonly lock: Disposable,
  ) {}

  /** Whether it protects nothing yet. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** From now on nothing of this is deleted. To be called before looking whether it is there. */
  protect(digests: readonly string[]): void {
    this.#isEmpty = false;
    const insert = this.db.query<unknown, [string, string]>("INSERT OR IGNORE INTO pull_lease_items VALUES (?, ?)");
    this.db.transaction(() => digests.forEach((digest) => void insert.run(this.id, digest))).immediate();
  }

  /** Lets go of everything. Also inside a transaction of the caller's. */
  end(): void {
    deleteLease(this.db, this.id);
    this.lock[Symbol.dispose]();
  }

  /** Leaves everything to the next pull, for a day. */
  keep(): void {
    this.lock[Symbol.dispose]();
  }
}

function deleteLease(db: Database, id: string): void {
  // The items go first: a row without items protects nothing, items without a row would protect for ever.
  db.run("DELETE FROM pull_lease_items WHERE lease = ?", [id]);
  db.run("DELETE FROM pull_leases WHERE id = ?", [id]);
}
