import { closeSync, openSync } from "node:fs";
import { configureLoop, freeLoop, isErrno, mountDetached } from "../../linux/sys/sys.ts";
import { type PairFiles, settingsOf } from "./mount-erofs.ts";

/** As often as another process may take the free device first. */
const ATTEMPTS = 64;

/** An index and its tar as two loop devices that are given back when the file system is gone. */
export function mountOfLoops({ index, tar }: PairFiles, attributes: number): number {
  const loops: { readonly fd: number; readonly path: string }[] = [];
  try {
    for (const path of [index, tar]) loops.push(loopOver(path));
    const [source, device] = loops.map(({ path }) => path);
    return mountDetached("erofs", settingsOf(source ?? "", device ?? ""), attributes);
  } finally {
    // The mount holds them; without one they are free again.
    for (const { fd } of loops) closeSync(fd);
  }
}

function loopOver(file: string): { readonly fd: number; readonly path: string } {
  const backing = openSync(file, "r");
  try {
    for (let attempt = 1; ; attempt++) {
      const path = `/dev/loop${freeLoop()}`;
      const fd = openSync(path, "r");
      try {
        configureLoop(fd, backing, 512);
        return { fd, path };
      } catch (failure) {
        closeSync(fd);
        if (!isErrno(failure, "EBUSY") || attempt === ATTEMPTS) throw failure;
      }
    }
  } finally {
    closeSync(backing);
  }
}
