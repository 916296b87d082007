import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { AT_FDCWD, O } from "../sys/flags.ts";
import { openat, openInRoot } from "../sys/open.ts";

/**
 * The beginning of a regular file below a directory whose owner is not trusted: at most `max` bytes. Undefined where there is no such
 * file, or where it is something else: a FIFO would block its reader, a device might be started by being opened. So the inode is
 * looked at first, by a descriptor that opens nothing (O_PATH), and that very inode is read.
 *
 * @param root a directory, which symbolic links in `path` do not leave
 */
export function readFileInRoot(root: string, path: string, max: number): Uint8Array | undefined {
  const directory = openat(AT_FDCWD, root, O.PATH | O.DIRECTORY);
  try {
    const inode = openInRoot(directory, path, O.PATH);
    try {
      return fstatSync(inode).isFile() ? readInode(inode, max) : undefined;
    } finally {
      closeSync(inode);
    }
  } catch {
    return undefined;
  } finally {
    closeSync(directory);
  }
}

function readInode(inode: number, max: number): Uint8Array {
  const file = openSync(`/proc/self/fd/${inode}`, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const buffer = new Uint8Array(Math.min(fstatSync(file).size, max));
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, length);
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
