import { readFileSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { parseReport } from "../../recipe/report.ts";
import { findRecord } from "../records/find.ts";
import type { Explanation } from "../types.ts";
import { lastRecipe } from "./leftovers.ts";
import { type Parts, placesIn } from "./parts.ts";

/** What the last start ran, with the time of each step. `failed_precondition` where the container has never been started. */
export function explainContainer(parts: Parts, container: string): Explanation {
  const { id, name } = findRecord(parts.table, container);
  const places = placesIn(parts, id);
  const recipe = lastRecipe(places);
  if (recipe === undefined) {
    throw new GalleyError("failed_precondition", "the container has not been started", {
      op: "explain",
      subject: name,
      hint: `galley start ${name}`,
    });
  }
  const timings = read(places.timings);
  const none = { outside: [], inside: [] };
  return { recipe, timings: timings ? parseReport(timings, recipe.sections.outside?.length ?? 0).timings : none };
}

function read(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (failure) {
    if ((failure as { code?: unknown }).code === "ENOENT") return undefined;
    throw failure;
  }
}
