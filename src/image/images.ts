import type { Database } from "bun:sqlite";
import type { StorePaths } from "../state/paths.ts";
import type { Snapshotter } from "./snapshot/snapshotter.ts";
import type { InUse } from "./store/remove.ts";
import { StoredImages } from "./stored-images.ts";
import type { Images } from "./types.ts";

export type { InUse } from "./store/remove.ts";
export { imageSchema } from "./store/schema.ts";
export type * from "./types.ts";

export interface ImagesOptions {
  /** Opened with {@link imageSchema} among its schemas. */
  readonly database: Database;
  readonly paths: StorePaths;
  readonly snapshotter: Snapshotter;
  /**
   * Containers that use an image. It is asked inside the transaction that removes the image, so it must answer from the same
   * database; and who adds a container must look the image up in the transaction that adds it.
   */
  readonly inUse: InUse;
}

/** The images of a store. Nothing is read or written before a method asks for it. */
export function openImages(options: ImagesOptions): Images {
  return new StoredImages(options);
}
