/** File systems by the calls of fsopen(2): put together setting by setting, attached to a place or to none. */
import { pathAddress, syscall } from "./call.ts";
import { AT_FDCWD } from "./flags.ts";
import { close } from "./open.ts";

/** Numbers of the new mount calls, the same on every architecture (asm-generic/unistd.h). */
const MOVE_MOUNT = 429;
const FSOPEN = 430;
const FSCONFIG = 431;
const FSMOUNT = 432;
/** Commands of fsconfig(2) (linux/mount.h). */
const SET_FLAG = 0;
const SET_STRING = 1;
const CMD_CREATE = 6;
const CLOEXEC = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;

/** Bytes that the kernel takes as a setting's value (fs/fsopen.c). */
export const SETTING_MAX = 255;

/** A setting and its value; without a value, a flag. */
export type FileSystemSetting = readonly [key: string, value?: string];

/**
 * Makes a file system that is attached nowhere: it is reached by the descriptor, and gone with it, whatever becomes of this process.
 * @param attributes of the mount, as `mountAttr` has them
 */
export function mountDetached(type: string, settings: Iterable<FileSystemSetting>, attributes = 0): number {
  const fs = syscall("fsopen", FSOPEN, pathAddress(type), CLOEXEC);
  try {
    for (const [key, value] of settings) {
      if (value === undefined) syscall("fsconfig", FSCONFIG, fs, SET_FLAG, pathAddress(key), 0, 0);
      else syscall("fsconfig", FSCONFIG, fs, SET_STRING, pathAddress(key, 0), pathAddress(value, 1), 0);
    }
    syscall("fsconfig", FSCONFIG, fs, CMD_CREATE, 0, 0, 0);
    return syscall("fsmount", FSMOUNT, fs, CLOEXEC, attributes);
  } finally {
    close(fs);
  }
}

/** Attaches a mount that {@link mountDetached} made to a directory. */
export function attachMount(mount: number, target: string): void {
  syscall(
    "move_mount",
    MOVE_MOUNT,
    mount,
    pathAddress("", 0),
    AT_FDCWD,
    pathAddress(target, 1),
    MOVE_MOUNT_F_EMPTY_PATH,
  );
}
