import { openSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Opens a file without a name for reading and writing: nothing remains of it when it is closed, whatever happens. */
export function scratchFile(directory: string, prefix: string): number {
  const path = join(directory, `${prefix}-${crypto.randomUUID()}`);
  const fd = openSync(path, "wx+", 0o600);
  rmSync(path);
  return fd;
}
