import { closeSync, openSync } from "node:fs";
import { type FileSystemSetting, isErrno, mountDetached, SETTING_MAX } from "../../linux/sys/sys.ts";

/** An index and the tar that it points into. */
export interface PairFiles {
  readonly index: string;
  readonly tar: string;
}

/**
 * The file system of an index and its tar, attached nowhere: of the files themselves where the kernel can (Linux 6.12), of loop
 * devices over them before. @returns its descriptor @param attributes of the mount, as `mountAttr` has them
 */
export function mountErofs(files: PairFiles, attributes: number): number {
  try {
    return ofFiles(files, attributes);
  } catch (failure) {
    if (!isErrno(failure, "ENOTBLK", "EINVAL", "ENODEV")) throw failure;
    const { mountOfLoops }: typeof import("./mount-loops.ts") = require("./mount-loops.ts");
    return mountOfLoops(files, attributes);
  }
}

/** Paths that are too long for a setting go by their descriptors. */
function ofFiles({ index, tar }: PairFiles, attributes: number): number {
  const opened: number[] = [];
  const named = (path: string): string => {
    if (Buffer.byteLength(path) <= SETTING_MAX) return path;
    const fd = openSync(path, "r");
    opened.push(fd);
    return `/proc/self/fd/${fd}`;
  };
  try {
    return mountDetached("erofs", settingsOf(named(index), named(tar)), attributes);
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** The settings of a mount of an index with one more device. */
export function settingsOf(source: string, device: string): readonly FileSystemSetting[] {
  return [["ro"], ["source", source], ["device", device]];
}
