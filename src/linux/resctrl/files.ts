import { readFileSync } from "node:fs";

/** The content of a file of resctrl without the blanks around it; undefined where it cannot be read. */
export function readResctrl(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
