import { pathAddress, syscall } from "./call.ts";
import { close } from "./open.ts";

/** Numbers of the new mount calls, the same on every architecture (asm-generic/unistd.h). */
const FSOPEN = 430;
const FSCONFIG = 431;
const FSMOUNT = 432;
/** Commands of fsconfig(2) (linux/mount.h). */
const SET_STRING = 1;
const CMD_CREATE = 6;
const CLOEXEC = 1;

/** Directories of an overlay, `lower` topmost first; without `upper` it can only be read. */
export interface OverlayDirectoriesOf {
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly work?: string;
}

/**
 * Mounts an overlay that is attached nowhere: it is reached by the descriptor, and gone with it, whatever becomes of this process.
 * Needs Linux 6.5, which takes lower directories one by one.
 */
export function mountDetachedOverlay({ lower, upper, work }: OverlayDirectoriesOf): number {
  const fs = syscall("fsopen", FSOPEN, pathAddress("overlay"), CLOEXEC);
  try {
    const set = (key: string, value: string) =>
      syscall("fsconfig", FSCONFIG, fs, SET_STRING, pathAddress(key, 0), pathAddress(value, 1), 0);
    set("source", "overlay");
    for (const layer of lower) set("lowerdir+", layer);
    if (upper !== undefined) set("upperdir", upper);
    if (work !== undefined) set("workdir", work);
    set("redirect_dir", "off");
    set("metacopy", "off");
    syscall("fsconfig", FSCONFIG, fs, CMD_CREATE, 0, 0, 0);
    return syscall("fsmount", FSMOUNT, fs, CLOEXEC, 0);
  } finally {
    close(fs);
  }
}
