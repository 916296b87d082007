import { Root, walk } from "../../linux/fs-at/fs-at.ts";
import { fstat, isErrno } from "../../linux/sys/sys.ts";

/** Units of `blocks` (statx(2)). */
const BLOCK = 512;

/**
 * Bytes on disk of a directory with all in it, as du(1) counts them: blocks, not lengths, a file of several names once, and nothing
 * of other file systems. Zero where there is no such directory.
 * @param seen inodes that were counted already
 */
export function diskUsage(path: string, seen: Set<bigint> = new Set()): number {
  let root: Root;
  try {
    root = Root.open(path);
  } catch (failure) {
    if (isErrno(failure, "ENOENT")) return 0;
    throw failure;
  }
  using opened = root;
  const { device } = fstat(opened.fd);
  let blocks = 0;
  for (const { kind, status } of walk(opened)) {
    if (kind === "leave" || status.device !== device) continue;
    if (status.nlink > 1 && kind === "other") {
      if (seen.has(status.inode)) continue;
      seen.add(status.inode);
    }
    blocks += status.blocks;
  }
  return blocks * BLOCK;
}
