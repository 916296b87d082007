/**
 * Volumes: named directories that outlive containers. A volume is a row and a directory `NAME/_data`; the row counts. A directory
 * that is missing is made again when it is needed; one without a row is nobody's.
 */
import type { Database } from "bun:sqlite";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import type { StorePaths } from "../../state/paths.ts";
import { checkVolumeName } from "./name.ts";
import { type NewVolume, type VolumeRow, VolumeTable } from "./table.ts";
import type { PruneRequest, PruneResult, VolumeFilters, VolumeRecord, VolumeUsers } from "./types.ts";

export { provideMounts } from "./provide.ts";
export { volumesSchema } from "./schema.ts";
export type { VolumeFilters, VolumeRecord, VolumeUsers } from "./types.ts";

export interface VolumesOptions {
  /** With {@link volumesSchema}. */
  readonly database: Database;
  readonly paths: Pick<StorePaths, "volumes">;
  readonly inUse: VolumeUsers;
}

/** Opens the store's volumes; nothing is made before the first of them. */
export function openVolumes(options: VolumesOptions): Volumes {
  return new Volumes(options);
}

/** What docker marks anonymous volumes with. */
const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** The volumes of one store. Many processes may use it at once. Unknown names are `not_found` in docker's words. */
export class Volumes {
  readonly table: VolumeTable;
  readonly inUse: VolumeUsers;
  readonly #directory: string;

  constructor({ database, paths, inUse }: VolumesOptions) {
    this.table = new VolumeTable(database);
    this.inUse = inUse;
    this.#directory = paths.volumes;
  }

  /** The directory of all volumes. */
  get directory(): string {
    return this.#directory;
  }

  /** Where a volume's files are, whether it is there or not. */
  mountpoint(name: string): string {
    return join(this.#directory, name, "_data");
  }

  /** Absent name: an anonymous one. Making one that is there already changes nothing but a missing directory. */
  async create(name: string | undefined, labels: Readonly<Record<string, string>> = {}): Promise<VolumeRecord> {
    return this.ensure(name, labels);
  }

  /** As {@link create}, at once. In a transaction of the caller's, which may yet be undone, the directory is left for later. */
  ensure(name: string | undefined, labels: Readonly<Record<string, string>> = {}): VolumeRecord {
    if (name !== undefined) checkVolumeName(name);
    const anonymous = name === undefined;
    const row = {
      name: name ?? randomName(),
      created: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      labels: JSON.stringify(anonymous ? { ...labels, [ANONYMOUS_LABEL]: "" } : labels),
      anonymous: anonymous ? 1 : 0,
    };
    const known = this.table.get(row.name);
    if (known !== undefined && existsSync(this.mountpoint(row.name))) return this.record(known);
    if (!this.table.inTransaction) return this.record(this.#addWithDirectory(row));
    this.table.add(row);
    return this.record(this.#read(row));
  }

  #read(row: NewVolume): VolumeRow {
    return this.table.get(row.name) ?? { ...row, copying: 0 };
  }

  /** The row stands before the directory is made, which so is never nobody's; a removal in between makes both begin anew. */
  #addWithDirectory(row: NewVolume): VolumeRow {
    for (;;) {
      const isNew = this.table.add(row);
      const added = this.#read(row);
      try {
        if (this.table.change(() => this.#makeDirectory(row.name))) return added;
      } catch (failure) {
        if (isNew) this.table.delete(row.name);
        throw toGalleyError(failure, { op: "create volume", subject: row.name });
      }
    }
  }

  /** Not where the row is gone. */
  #makeDirectory(name: string): boolean {
    if (this.table.get(name) === undefined) return false;
    mkdirSync(join(this.#directory, name), { recursive: true, mode: 0o711 });
    mkdirSync(this.mountpoint(name), { recursive: true, mode: 0o755 });
    return true;
  }

  record({ name, labels }: VolumeRow): VolumeRecord {
    return { name, mountpoint: this.mountpoint(name), labels: JSON.parse(labels) as Record<string, string> };
  }

  row(name: string): VolumeRow {
    const row = this.table.get(name);
    if (row === undefined) throw new GalleyError("not_found", `get ${name}: no such volume`);
    return row;
  }

  /** In the order of their names. */
  async list(filters: VolumeFilters = {}): Promise<readonly VolumeRecord[]> {
    const { listVolumes } = await import("./list.ts");
    return listVolumes(this, filters);
  }

  /** docker's volume inspect object. */
  async inspect(name: string): Promise<Record<string, unknown>> {
    const row = this.row(name);
    const { mountpoint, labels } = this.record(row);
    return {
      CreatedAt: row.created,
      Driver: "local",
      Labels: Object.keys(labels).length === 0 ? null : labels,
      Mountpoint: mountpoint,
      Name: name,
      Options: null,
      Scope: "local",
    };
  }

  /** `failed_precondition` where a container has it. */
  async remove(name: string): Promise<void> {
    const { removeVolume } = await import("./remove.ts");
    await removeVolume(this, name);
  }

  /** For a container that is gone: removes those of its volumes that are anonymous and that no other container has. */
  async removeAnonymous(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const { removeAnonymous } = await import("./remove.ts");
    await removeAnonymous(this, names);
  }

  /** Removes what no container has: anonymous volumes, with `all` the others too. */
  async prune(request: PruneRequest): Promise<PruneResult> {
    const { pruneVolumes } = await import("./remove.ts");
    return pruneVolumes(this, request);
  }
}

/** docker's names of anonymous volumes: 64 hexadecimal digits. */
function randomName(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
}
