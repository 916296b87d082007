import type { Database } from "bun:sqlite";
import type { Descriptor } from "../../spec/image.ts";
import { withLongLog } from "../../state/database.ts";
import { ContentStore } from "../content/content-store.ts";
import type { Snapshotter } from "../snapshot/snapshotter.ts";
import type { ImageRecord } from "../types.ts";
import { collect } from "./collect.ts";
import { noSuchImage, recordOf } from "./find.ts";
import { ImageTable, type NewImage } from "./image-table.ts";
import { writeLayoutIndex } from "./layout-index.ts";
import { type Lease, Leases } from "./leases.ts";
import { Locks } from "./locks.ts";

/** The names that an image gets, and what they lead to. */
export interface Naming {
  /** In full: `docker.io/library/busybox:latest`. */
  readonly names: readonly string[];
  readonly target: Descriptor;
}

/** An image with its names. */
export interface NamedImage extends Naming {
  readonly image: NewImage;
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

  /**
   * Makes an image visible under its names, and ends the lease that brought it in. Gives whether one of the names led elsewhere
   * before.
   */
  save(image: NewImage, { lease, ...naming }: Naming & { readonly lease: Lease }): boolean {
    const changed = this.change((table) => saveOne(table, { image, ...naming }));
    lease.end();
    this.leases.expire([naming.target.digest]);
    return changed;
  }

  /** Makes images visible under their names, all at once. */
  saveAll(images: readonly NamedImage[]): void {
    this.change((table) => images.forEach((image) => void saveOne(table, image)));
    this.leases.expire(images.map(({ target }) => target.digest));
  }

  /** For many transactions one after the other; see {@link withLongLog}. */
  longLog(): Disposable {
    return withLongLog(this.db);
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

/** Gives whether one of the names led elsewhere before. */
function saveOne(table: ImageTable, { image, names, target }: NamedImage): boolean {
  const before = names.map((name) => table.name(name)?.image);
  table.put(image, new Date().toISOString());
  for (const name of names) table.setName(name, image.id, target);
  return before.some((id) => id !== image.id);
}
