import type { HistoryEntry } from "../../spec/image.ts";
import type { HistoryRow, ImageRecord } from "../types.ts";

/**
 * The steps that made an image, newest first, as docker shows them. `sizes` are those of the layers, bottom first, in bytes; each step
 * that is not marked as empty has the next of them.
 */
export function historyOf(image: ImageRecord, sizes: readonly number[]): readonly HistoryRow[] {
  const rows: HistoryRow[] = [];
  let layer = 0;
  for (const entry of image.config.history ?? []) {
    const size = entry.empty_layer === true ? 0 : (sizes[layer++] ?? 0);
    rows.unshift(rowOf(entry, size));
  }
  const [newest, ...older] = rows;
  return newest === undefined ? [] : [{ ...newest, id: image.id, tags: image.names }, ...older];
}

function rowOf(entry: HistoryEntry, size: number): HistoryRow {
  return {
    id: "<missing>",
    created: entry.created ?? "0001-01-01T00:00:00Z",
    createdBy: entry.created_by ?? "",
    size,
    comment: entry.comment ?? "",
    tags: [],
  };
}
