import { existsSync } from "node:fs";
import type { StorePaths } from "../../state/paths.ts";
import type { Operations } from "./operations.ts";
import { placesOf } from "./places.ts";
import type { ContainerRecord } from "./record.ts";

/** Whether a `--rm` container's shim has removed it, so that only the record is left. */
export function isGone(
  { paths, operations }: { readonly paths: StorePaths; readonly operations: Operations },
  { id, made }: ContainerRecord,
): boolean {
  return made.spec.autoRemove === true && !existsSync(placesOf(paths, id).directory) && operations.of(id) === undefined;
}
