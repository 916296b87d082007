import { toGalleyError } from "../../errors.ts";
import { NoMatchingPlatform } from "../../image/pull/fetch-documents.ts";

/** skopeo's exit status where the image that is to be read is not there. */
export const NO_IMAGE = 2;

/**
 * Whether a failure means that; a list without an image for this machine is there. In a layout it means that no image has the name: a file or
 * directory that is not there is a failure as any other.
 * @param place as it was written
 */
export function isNoImage(failure: unknown, place: string): boolean {
  const { code, op } = toGalleyError(failure);
  if (code !== "not_found" || failure instanceof NoMatchingPlatform) return false;
  return /^(docker|containers-storage):/.test(place) || (/^oci(-archive)?:/.test(place) && op === "find image");
}
