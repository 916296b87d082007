import { renameSync } from "node:fs";
import { join } from "node:path";
import { toGalleyError } from "../../errors.ts";
import { cleanIngests, Ingest } from "./ingest.ts";
import { isKept } from "./layer-directory.ts";
import { lockLayer } from "./layer-lock.ts";

/** Takes a layer away in one step, and then deletes it; see `Snapshotter.remove`. */
export async function removeDirectory(layers: string, directory: string, diffId: string): Promise<void> {
  if (!isKept(directory)) return;
  using _lock = await lockLayer(layers, diffId);
  cleanIngests(layers);
  if (!isKept(directory)) return;
  using ingest = Ingest.create(layers);
  try {
    renameSync(directory, join(ingest.path, "removed"));
    ingest.discard();
  } catch (failure) {
    throw toGalleyError(failure, { op: "remove layer", subject: diffId });
  }
}
