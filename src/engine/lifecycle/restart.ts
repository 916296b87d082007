import { GalleyError } from "../../errors.ts";
import { findRecord } from "../records/find.ts";
import { isActive, lifeOf } from "../records/view.ts";
import { type Parts, placesIn } from "./parts.ts";
import { startContainer } from "./start.ts";
import { type StopOptions, stopContainer } from "./stop.ts";

/** Stops a container, if it runs, and starts it. */
export async function restartContainer(parts: Parts, container: string, options: StopOptions = {}): Promise<void> {
  const { id, name, made } = findRecord(parts.table, container);
  if (made.spec.autoRemove === true && isActive(lifeOf(placesIn(parts, id)))) {
    throw new GalleyError("failed_precondition", "the container is removed when it stops", {
      op: "restart",
      subject: name,
      hint: "it was created with --rm: run it anew",
    });
  }
  await stopContainer(parts, id, options);
  await startContainer(parts, id);
}
