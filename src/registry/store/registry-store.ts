import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { ContentStore } from "../../image/content/content-store.ts";
import { type HeldLock, tryLockFile } from "../../linux/sys/lock.ts";
import { Repository } from "./repository.ts";
import { Uploads } from "./uploads.ts";

/** A repository with the uploads that are on their way into it. */
export interface OpenRepository {
  readonly content: Repository;
  readonly uploads: Uploads;
}

/**
 * What a registry keeps, below one directory:
 *
 *     blobs/sha256/<hex>                    the pool: every blob once
 *     repositories/<name>/_layout/          an OCI image layout; its blobs are links into the pool
 *     repositories/<name>/_uploads/<UUID>   blobs that are being pushed
 *
 * No part of a repository's name begins with `_`, so names and directories cannot be confused. One process at a time has it: what it
 * knows of the repositories need not be read again.
 */
export class RegistryStore implements Disposable {
  readonly #repositories = new Map<string, OpenRepository>();
  #names: readonly string[] | undefined;

  private constructor(
    private readonly root: string,
    /** All blobs, whatever repositories they are in. */
    readonly pool: ContentStore,
    private readonly lock: HeldLock,
  ) {}

  /** Opens the storage at `root`, which is made if need be; `failed_precondition` where another process has it. */
  static open(root: string): RegistryStore {
    try {
      mkdirSync(join(root, "repositories"), { recursive: true, mode: 0o700 });
    } catch (failure) {
      throw toGalleyError(failure, {
        op: "open",
        subject: root,
        hint: "is the directory writable? --root names another",
      });
    }
    const lock = tryLockFile(join(root, "lock"), "exclusive");
    if (lock === undefined) {
      throw new GalleyError("failed_precondition", "another process serves it or cleans it up", {
        op: "open",
        subject: root,
      });
    }
    const pool = new ContentStore(root);
    pool.prepare();
    return new RegistryStore(root, pool, lock);
  }

  /** The repository of a valid name, if anything was ever pushed there. */
  find(name: string): OpenRepository | undefined {
    const known = this.#repositories.get(name);
    if (known !== undefined) return known.content.exists ? known : undefined;
    return existsSync(join(this.root, "repositories", name, "_layout")) ? this.open(name) : undefined;
  }

  /** The repository of a valid name, for something to be pushed there. */
  open(name: string): OpenRepository {
    const known = this.#repositories.get(name);
    if (known !== undefined) return known;
    const directory = join(this.root, "repositories", name);
    const content = new Repository(name, join(directory, "_layout"), this.pool, () => {
      this.#names = undefined;
    });
    const opened = { content, uploads: new Uploads(join(directory, "_uploads"), content, this.pool) };
    this.#repositories.set(name, opened);
    return opened;
  }

  /** Names of all repositories that hold a manifest or a blob, in byte order. */
  names(): readonly string[] {
    this.#names ??= this.directories().filter((name) => existsSync(join(this.root, "repositories", name, "_layout")));
    return this.#names;
  }

  /** As {@link names}, with those into which there are only uploads. */
  directories(): readonly string[] {
    const found: string[] = [];
    const walk = (name: string) => {
      const entries = readdirSync(join(this.root, "repositories", name), { withFileTypes: true });
      const folders = entries.filter((entry) => entry.isDirectory());
      if (folders.some((entry) => entry.name.startsWith("_"))) found.push(name);
      for (const { name: part } of folders) if (!part.startsWith("_")) walk(name === "" ? part : `${name}/${part}`);
    };
    walk("");
    return found.sort();
  }

  [Symbol.dispose](): void {
    this.lock.release();
  }
}
