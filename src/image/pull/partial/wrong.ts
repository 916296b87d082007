import { GalleyError } from "../../../errors.ts";

/** The refusal of a table of contents, whatever is wrong with it. */
export function wrong(what: string): GalleyError {
  return new GalleyError("data_loss", `the layer's table of contents cannot be used: ${what}`, { op: "pull" });
}
