import { toGalleyError } from "../../errors.ts";
import { NoMatchingPlatform } from "../../image/pull/fetch-documents.ts";

/** skopeo's exit status where the image that is to be read is not there. */
export const NO_IMAGE = 2;

/** Whether a failure means that; a list without an image for this machine is there. */
export function isNoImage(failure: unknown): boolean {
  return toGalleyError(failure).code === "not_found" && !(failure instanceof NoMatchingPlatform);
}
