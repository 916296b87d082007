import { GalleyError } from "../../../errors.ts";
import { REMEDY } from "../../verify/remedy.ts";

/** An archive that says what it may not say. `offset` is that of the header, in bytes. */
export function malformed(what: string, offset: number, name?: string): GalleyError {
  return new GalleyError("invalid_argument", `malformed tar archive: ${what}${place(offset, name)}`, { hint: REMEDY });
}

/** An archive that ends too early. */
export function cutShort(what: string, offset: number, name?: string): GalleyError {
  return new GalleyError("data_loss", `the tar archive is cut short ${what}${place(offset, name)}`, { hint: REMEDY });
}

/** Names are shown whole up to this many characters: a hostile one may have a million. */
const SHOWN = 200;

/** A name for a message: control characters escaped, and no longer than a line or two. */
export function shown(name: string): string {
  const text = JSON.stringify(name.toWellFormed());
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

function place(offset: number, name: string | undefined): string {
  return name === undefined ? ` (at byte ${offset})` : ` (entry ${shown(name)}, at byte ${offset})`;
}
