import { readFileSync } from "node:fs";
import { toGalleyError } from "../../errors.ts";

/** The bytes of a file that an option names. */
export function readOptionFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (failure) {
    throw toGalleyError(failure, { op: "read", subject: path });
  }
}
