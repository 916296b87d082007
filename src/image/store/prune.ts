import { GalleyError } from "../../errors.ts";
import type { ImageRecord, RemovedItem } from "../types.ts";
import type { ImageStore } from "./image-store.ts";
import { type InUse, removeFromTables } from "./remove.ts";

/** Removes those of `images` that no container uses, with all their names; content is left to a collection afterwards. */
export function pruneImages(
  store: ImageStore,
  inUse: InUse,
  images: readonly ImageRecord[],
  withNames: boolean,
): readonly RemovedItem[] {
  return store.change((table) =>
    images.flatMap((image) => {
      if (inUse(image.id).length > 0 || (!withNames && image.names.length > 0)) return [];
      try {
        return removeFromTables(table, inUse, image.id, { force: true });
      } catch (failure) {
        // Somebody else removed it since it was listed.
        if (failure instanceof GalleyError && failure.code === "not_found") return [];
        throw failure;
      }
    }),
  );
}

/** Lets go of images that were removed under their containers, once the last of those is gone. */
export function dropHidden(store: ImageStore, inUse: InUse): void {
  const gone = () => store.table.all().filter((row) => row.hidden === 1 && inUse(row.id).length === 0);
  if (gone().length > 0) store.change((table) => gone().forEach(({ id }) => void table.drop(id)));
}
