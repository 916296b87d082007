import { GalleyError } from "../../errors.ts";

/** What is thrown for a signature that is not believed: `permission_denied`. */
export function refused(why: string): GalleyError {
  return new GalleyError("permission_denied", why);
}
