import type { Database } from "bun:sqlite";
import type { Snapshotter } from "../../image/snapshot/snapshotter.ts";
import type { Images } from "../../image/types.ts";
import type { Networks } from "../../network/types.ts";
import type { StorePaths } from "../../state/paths.ts";
import type { ContainerTable } from "../records/container-table.ts";
import type { Operations } from "../records/operations.ts";
import { type ContainerPlaces, placesOf } from "../records/places.ts";
import type { Volumes } from "../volumes/volumes.ts";

/** What the work on containers is done with. All of it is of one store. */
export interface Parts {
  readonly paths: StorePaths;
  /** Path of the native program. */
  readonly native: string;
  readonly database: Database;
  readonly table: ContainerTable;
  readonly operations: Operations;
  readonly snapshotter: Snapshotter;
  readonly images: Images;
  /** Loaded when a container first needs them. */
  volumes(): Promise<Volumes>;
  networks(): Promise<Networks>;
}

/** The files of a container. */
export function placesIn({ paths }: Pick<Parts, "paths">, id: string): ContainerPlaces {
  return placesOf(paths, id);
}

/** Compiled seccomp filters, kept from one container to the next. */
export function filterCacheOf({ paths }: Pick<Parts, "paths">): string {
  return `${paths.root}/seccomp`;
}

/** One short write transaction: it begins by writing, so that what it reads is what it changes. */
export function change<T>({ database }: Pick<Parts, "database">, work: () => T): T {
  return database.transaction(work).immediate();
}
