import { GalleyError } from "../../errors.ts";
import { findRecord } from "../records/find.ts";
import { lifeOf } from "../records/view.ts";
import { openAttachment } from "../shim/attachment.ts";
import type { Attachment } from "../types.ts";
import { type Parts, placesIn } from "./parts.ts";

/** Attaches to a running container. `failed_precondition`, in docker's words, to one that does not run or is paused. */
export async function attachTo(
  parts: Parts,
  container: string,
  options: { readonly stdin: boolean; readonly output: boolean },
): Promise<Attachment> {
  const { id, name } = findRecord(parts.table, container);
  const places = placesIn(parts, id);
  const { state } = lifeOf(places);
  if (state === "paused") throw refused("You cannot attach to a paused container, unpause it first");
  if (state === "restarting") {
    throw refused("You cannot attach to a restarting container, wait until it is running");
  }
  const attachment = state === "running" ? await openAttachment(places.socket, options) : undefined;
  if (attachment !== undefined) return attachment;
  if (state !== "running" || lifeOf(places).state !== "running") {
    throw refused("You cannot attach to a stopped container, start it first");
  }
  throw new GalleyError("unavailable", "the container's shim was killed: its streams lead nowhere", {
    op: "attach",
    subject: name,
    hint: `galley restart ${name}`,
  });
}

function refused(message: string): GalleyError {
  return new GalleyError("failed_precondition", message);
}
