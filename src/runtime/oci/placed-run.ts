/** A native program that is put somewhere before it reads its recipe, as into a cgroup where only systemd may put it. */
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { mknodat } from "../../linux/sys/sys.ts";

/** Puts the process of this pid where it is to be. Throws `GalleyError`. */
export type Place = (pid: number) => Promise<void>;

const CWD = -100;
const S_IFIFO = 0o010000;

/** The recipe at `path` as a fifo, at a path beside it: it goes through that once its reader, of whom the pid is given then, is placed. */
export function hold(path: string, place: Place): { readonly path: string; readonly place: Place } {
  const fifo = `${path}.held`;
  const bytes = readFileSync(path);
  mknodat(CWD, fifo, S_IFIFO | 0o600, 0);
  // Open for both: the program waits for the recipe, and not for somebody who has one.
  const fd = openSync(fifo, constants.O_RDWR);
  const give: Place = async (pid) => {
    try {
      await place(pid);
      writeSync(fd, bytes);
    } catch (failure) {
      process.kill(pid, "SIGKILL");
      throw failure;
    } finally {
      closeSync(fd);
    }
  };
  return { path: fifo, place: give };
}
