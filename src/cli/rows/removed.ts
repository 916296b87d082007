import type { RemovedItem } from "../../image/types.ts";

/** docker's words for something that was removed. */
export function describeRemoved(item: RemovedItem): string {
  return "deleted" in item ? `Deleted: ${item.deleted}` : `Untagged: ${item.untagged}`;
}
