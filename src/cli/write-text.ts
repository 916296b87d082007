import { writeSync } from "node:fs";

/** Somebody closed the other end of our standard output: nobody is left to tell. */
export class BrokenPipe extends Error {
  override readonly name = "BrokenPipe";
}

/** 128 + SIGPIPE, what a shell shows for a program that a closed pipe ended. */
export const BROKEN_PIPE_STATUS = 141;

/** How long to wait before another try where the descriptor does not block, in milliseconds. */
const RETRY_MS = 5;

/**
 * Writes text as a whole, also where the descriptor was left non-blocking by another program. Throws {@link BrokenPipe} where
 * standard output's reader is gone; what nobody reads on standard error is dropped.
 */
export function writeText(descriptor: 1 | 2, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (failure) {
      if (lost(descriptor, failure)) return;
      Bun.sleepSync(RETRY_MS);
    }
  }
}

function again(failure: unknown): boolean {
  const code = (failure as { code?: unknown }).code;
  return code === "EAGAIN" || code === "EINTR";
}

/** False where another try is worth it; throws where the caller should know. */
function lost(descriptor: 1 | 2, failure: unknown): boolean {
  if (again(failure)) return false;
  if (descriptor === 2) return true;
  if ((failure as { code?: unknown }).code === "EPIPE") throw new BrokenPipe();
  throw failure;
}
