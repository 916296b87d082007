import type { Database } from "bun:sqlite";
import type { Descriptor } from "../../spec/image.ts";
import { ContentStore } from "../content/content-store.ts";
import type { Snapshotter } from "../snapshot/snapshotter.ts";
import type { ImageRecord } from "../types.ts";
import { collect } from "./collect.ts";
import { noSuchImage, recordOf } from "./find.ts";
import { ImageTable, type NewImage } from "./image-table.ts";
import { writeLayoutIndex } from "./layout-index.ts";
import { type Lease, Leases } from "./leases.ts";
import { Locks } from "./locks.ts";

/** The names that an image gets, and what they lead to. The lease that brought it in ends afterwards. */
export interface Naming {
  /** In full: `docker.io/library/busybox:latest`. */
  readonly names: readonly string[];
  readonly target: Descriptor;
  readonly lease: Lease;
}

/** The parts of the store that holds images, and the changes that concern several of them. Opening it reads and writes nothing. */
export class ImageStore {
  readonly content: ContentStore;
  readonly table: ImageTable;
  readonly locks: Locks;
  readonly leases: Leases;

  constructor(
    private readonly db: Database,
    contentDirectory: string,
    readonly snapshotter: Snapshotter,
  ) {
    this.content = new ContentStore(contentDirectory);
    this.table = new ImageTable(db);
    this.locks = new Locks(this.content);
    this.leases = new Leases(db, this.locks);
  }

  /** Runs `change` as one write transaction that ends with the layout's index being written anew. */
  change<T>(change: (table: ImageTable) => T): T {
    const work = () => {
      const result = change(this.table);
      writeLayoutIndex(this.content, this.table);
      return result;
    };
    return this.db.transaction(work).immediate();
  }

  /** Makes an image visible under its names. Gives whether one of the names led elsewhere before. */
  save(image: NewImage, { names, target, lease }: Naming): boolean {
    const changed = this.change((table) => {
      const before = names.map((name) => table.name(name)?.image);
      table.put(image, new Date().toISOString());
      for (const name of names) table.setName(name, image.id, target);
      return before.some((id) => id !== image.id);
    });
    lease.end();
    this.leases.expire(target.digest);
    return changed;
  }

  record(id: string): ImageRecord {
    const row = this.table.byId(id);
    if (row === undefined) throw noSuchImage(id);
    return recordOf(this.table, this.content, row);
  }

  /** Deletes what nothing needs; gives the bytes freed. */
  collect(): Promise<number> {
    return collect(this);
  }
}
