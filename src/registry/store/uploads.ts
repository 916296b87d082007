import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContentStore } from "../../image/content/content-store.ts";
import type { DigestAlgorithm } from "../../image/digest.ts";
import type { Repository } from "./repository.ts";
import { Upload } from "./upload.ts";

/** The names that {@link Uploads.create} gives; anything else is no upload, whatever it means as a path. */
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Uploads to which nothing was added for this long are given up, in milliseconds: a week, as docker's registry has it. */
export const UPLOAD_LIFE = 7 * 24 * 3600 * 1000;

/** Uploads on their way into one repository, each a file in its `_uploads`. They outlive the server. */
export class Uploads {
  readonly #open = new Map<string, Upload>();

  constructor(
    private readonly directory: string,
    private readonly repository: Repository,
    private readonly pool: ContentStore,
  ) {}

  /** Starts an upload and gives its ID, a UUID. */
  create(algorithm: DigestAlgorithm): string {
    const id = crypto.randomUUID();
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const path = join(this.directory, id);
    writeFileSync(path, "", { flag: "wx", mode: 0o600 });
    this.#open.set(id, new Upload(path, algorithm));
    return id;
  }

  /** An upload by its ID, one of an earlier server included. */
  find(id: string): Upload | undefined {
    const known = this.#open.get(id);
    if (known !== undefined || !ID.test(id)) return known;
    const path = join(this.directory, id);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    const upload = new Upload(path, "sha256");
    this.#open.set(id, upload);
    return upload;
  }

  /** Ends an upload: its bytes become a blob of the repository. False where they do not have the digest; nothing is left then. */
  async finish(id: string, upload: Upload, digest: string): Promise<boolean> {
    if (!(await upload.finish(digest))) {
      await this.cancel(id, upload);
      return false;
    }
    this.#open.delete(id);
    this.pool.prepare();
    if (this.pool.sizeOf(digest) === upload.offset) rmSync(upload.path);
    else renameSync(upload.path, this.pool.pathOf(digest));
    this.repository.link(digest);
    return true;
  }

  /** Ends an upload without a blob. */
  async cancel(id: string, upload: Upload): Promise<void> {
    this.#open.delete(id);
    await upload.cancel();
  }

  /** Deletes uploads to which nothing was added since `before` (milliseconds since 1970). Gives the bytes that were freed. */
  async expire(before: number): Promise<number> {
    let freed = 0;
    for (const id of this.#ids()) {
      const path = join(this.directory, id);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined || found.mtimeMs >= before) continue;
      freed += found.size;
      await this.#open.get(id)?.cancel();
      this.#open.delete(id);
      rmSync(path, { force: true });
    }
    return freed;
  }

  #ids(): readonly string[] {
    try {
      return readdirSync(this.directory);
    } catch {
      return []; // Nothing was ever uploaded here.
    }
  }
}
