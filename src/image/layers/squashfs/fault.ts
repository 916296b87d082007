import { GalleyError } from "../../../errors.ts";
import { REMEDY } from "../../verify/remedy.ts";

/** A file system that says what it may not say. `offset` is in bytes from its beginning. */
export function damaged(what: string, offset?: number): GalleyError {
  const place = offset === undefined ? "" : ` (at byte ${offset})`;
  return new GalleyError("data_loss", `damaged squashfs: ${what}${place}`, { hint: REMEDY });
}
