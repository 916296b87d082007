import { attempt } from "./system.ts";

const CLOCK_MONOTONIC = 1;

/** Milliseconds since some moment. */
export function monotonic(): number {
  const time = new BigInt64Array(2);
  attempt("clock_gettime", CLOCK_MONOTONIC, new Uint8Array(time.buffer));
  return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
}

/** Waits; nothing else goes on meanwhile. */
export function sleep(milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000);
  const time = new BigInt64Array([BigInt(seconds), BigInt(Math.round((milliseconds - seconds * 1000) * 1e6))]);
  attempt("nanosleep", new Uint8Array(time.buffer), null);
}
