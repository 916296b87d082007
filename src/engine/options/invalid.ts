import { GalleyError } from "../../errors.ts";

/** What is wrong with the text of an option, in docker's words where docker has some. */
export function invalidOption(message: string, hint?: string): GalleyError {
  return new GalleyError("invalid_argument", message, hint === undefined ? {} : { hint });
}
