/** A native program that is put somewhere before it reads its recipe, as into a cgroup where only systemd may put it. */
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { startTimeOf } from "../../linux/processes.ts";
import { mknodat } from "../../linux/sys/sys.ts";

/** Puts the process of this pid where it is to be. Throws `GalleyError`. */
export type Place = (pid: number) => Promise<void>;

const CWD = -100;
const S_IFIFO = 0o010000;
/** Milliseconds between two looks at a fifo that takes nothing. */
const LOOK = 1;

/** The recipe at `path` as a fifo, at a path beside it: it goes through that once its reader, of whom the pid is given then, is placed. */
export function hold(path: string, place: Place): { readonly path: string; readonly place: Place } {
  const fifo = `${path}.held`;
  const bytes = readFileSync(path);
  mknodat(CWD, fifo, S_IFIFO | 0o600, 0);
  const give: Place = async (pid) => {
    try {
      await place(pid);
      await put(fifo, bytes, pid);
    } catch (failure) {
      if (startTimeOf(pid) !== undefined) process.kill(pid, "SIGKILL");
      throw failure;
    }
  };
  return { path: fifo, place: give };
}

/** Nothing here waits in the kernel: nobody would tell that the reader has been ended, as it is with the unit that it was put into. */
async function put(fifo: string, bytes: Uint8Array, reader: number): Promise<void> {
  const fd = await patiently(reader, "ENXIO", () => openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK));
  try {
    for (let at = 0; at < bytes.length; ) at += await patiently(reader, "EAGAIN", () => writeSync(fd, bytes, at));
  } finally {
    closeSync(fd);
  }
}

/** Tries again what fails with `code` until the reader is there, or has room; until it is gone. */
async function patiently<T>(reader: number, code: string, attempt: () => T): Promise<T> {
  for (;;) {
    try {
      return attempt();
    } catch (failure) {
      const said = (failure as { code?: unknown }).code;
      if (said !== code && said !== "EPIPE") throw failure;
    }
    if (startTimeOf(reader) === undefined) {
      throw new GalleyError("aborted", "the native program was ended before it had its recipe");
    }
    await Bun.sleep(LOOK);
  }
}
