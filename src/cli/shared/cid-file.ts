import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";

/** A `--cidfile` that is being filled. */
export interface CidFile {
  write(id: string): void;
  /** Nothing came of the container: the file goes. */
  discard(): void;
}

/** Makes the file; one that is already there belongs to another container, which is an error. */
export function openCidFile(path: string): CidFile {
  const descriptor = open(path);
  return {
    write(id) {
      writeSync(descriptor, id);
      closeSync(descriptor);
    },
    discard() {
      closeSync(descriptor);
      unlinkSync(path);
    },
  };
}

function open(path: string): number {
  try {
    return openSync(path, "wx", 0o644);
  } catch (failure) {
    const error = toGalleyError(failure, { op: "create", subject: path });
    if (error.code !== "already_exists") throw error;
    throw new GalleyError("already_exists", "container ID file found", {
      subject: path,
      hint: "make sure the other container isn't running, or delete the file",
    });
  }
}
