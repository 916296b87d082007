import { readFileSync } from "node:fs";

/** The capabilities that this process could give to others, as a mask (proc_pid_status(5), CapBnd). */
export function ownBoundingSet(status: string = readFileSync("/proc/self/status", "utf8")): bigint {
  const hex = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return hex === undefined ? 0n : BigInt(`0x${hex}`);
}
