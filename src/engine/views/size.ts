import { treeSize } from "../volumes/remove.ts";

/** Bytes of what a container wrote (`written`) and of that with its image (`whole`). Reads every file's status below `upper`. */
export function containerSize(upper: string, imageSize: number): { readonly written: number; readonly whole: number } {
  const written = treeSize(upper);
  return { written, whole: written + imageSize };
}
