import { readFileSync } from "node:fs";
import { SYS } from "./flags.ts";
import { addressOf, libc } from "./libc.ts";

/** linux/mman.h */
const MADV_NOHUGEPAGE = 15;

/**
 * Memory that this process touches from now on comes in pages of four kilobytes again, where the program was built to have huge ones
 * (madvise(2)): they save time while little is used, and hold more than is used when much is.
 */
export function ordinaryPages(): void {
  const inHeap = addressOf(new Uint8Array(1 << 14));
  for (const [, first = "", last = ""] of readFileSync("/proc/self/maps", "utf8").matchAll(
    /^([0-9a-f]+)-([0-9a-f]+) /gm,
  )) {
    const [start, end] = [Number.parseInt(first, 16), Number.parseInt(last, 16)];
    // A kernel without huge pages refuses, and has nothing to give up.
    if (start <= inHeap && inHeap < end) libc().syscall(SYS.madvise, start, end - start, MADV_NOHUGEPAGE, 0, 0, 0);
  }
}
