import type { HistoryRow } from "../../image/types.ts";
import { Methods } from "../format/template/values.ts";
import { localRfc3339 } from "../format/time.ts";
import { ago, humanSize } from "../format/units.ts";
import { ellipsis, shortId } from "./text.ts";

/** docker's default tables of `history`: with times and sizes in words, or as they are. */
export const historyTable = "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";
export const exactHistoryTable = "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";

export const historyHeadings: Readonly<Record<string, string>> = {
  ID: "IMAGE",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  CreatedBy: "CREATED BY",
  Size: "SIZE",
  Comment: "COMMENT",
};

const CREATED_BY_WIDTH = 45;
/** Builders that want the same bytes again use times near 1970; they say nothing. */
const EPOCH = Date.parse("2000-01-01T00:00:00Z");

export interface HistoryRowOptions {
  readonly truncate: boolean;
  /** Times and sizes in words. */
  readonly human: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A step of an image's making as templates see it. */
export function historyRow(row: HistoryRow, { truncate, human, now }: HistoryRowOptions): Methods {
  const createdAt = () => localRfc3339(row.created);
  return new Methods("*image.historyContext", {
    ID: () => (truncate && row.id.includes(":") ? shortId(row.id) : row.id),
    CreatedAt: createdAt,
    CreatedSince: () => {
      if (!human) return createdAt();
      return Date.parse(row.created) <= EPOCH ? "N/A" : ago(row.created, now);
    },
    CreatedBy: () => {
      const line = row.createdBy.replaceAll("\t", " ");
      return truncate ? ellipsis(line, CREATED_BY_WIDTH) : line;
    },
    Size: () => (human ? humanSize(row.size, 3) : String(row.size)),
    Comment: () => row.comment,
  });
}
