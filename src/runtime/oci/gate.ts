/** The gate of a created container: the fifo at which its process waits. See docs/recipes.md, "The native program". */
import { closeSync, constants, openSync, readlinkSync, readSync, writeSync } from "node:fs";
import { type HookNote, parseHookNote } from "../../recipe/hook-note.ts";
import type { Home } from "./home.ts";

/** What failed behind the gate. */
export interface GateFailure {
  readonly step: number;
  readonly errno: number;
  /** The configuration field behind the step. */
  readonly cause: string;
  readonly note: HookNote | undefined;
}

/** Milliseconds between two looks at a process that is about to be executed, which takes about one. */
const LOOK = 0.2;
/** A record is written at once, hence no longer (pipe(7), PIPE_BUF). */
const RECORD_LIMIT = 4096;
const HEAD_SIZE = 16;

/** Opens the gate, and waits until the process is another program or none. What failed, if anything did. */
export async function openGate({ gate }: Home, pid: number): Promise<GateFailure | undefined> {
  const waiting = programOf(pid);
  const reader = openSync(gate, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const writer = openSync(gate, constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(writer, "1");
    closeSync(writer);
    // Until then the byte may still be there, and is not ours to take.
    while (programOf(pid) === waiting) await Bun.sleep(LOOK);
    return told(reader);
  } finally {
    closeSync(reader);
  }
}

/** What the process runs; undefined once it has ended. */
function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

function told(reader: number): GateFailure | undefined {
  const bytes = new Uint8Array(RECORD_LIMIT);
  try {
    const size = readSync(reader, bytes);
    return size < HEAD_SIZE ? undefined : failureIn(bytes.subarray(0, size));
  } catch (failure) {
    if ((failure as { code?: unknown }).code !== "EAGAIN") throw failure;
    return undefined;
  }
}

function failureIn(bytes: Uint8Array): GateFailure {
  const [step = 0, errno = 0, causeSize = 0] = new Uint32Array(bytes.slice(0, HEAD_SIZE).buffer);
  const end = HEAD_SIZE + causeSize;
  const cause = new TextDecoder().decode(bytes.subarray(HEAD_SIZE, end));
  return { step, errno, cause, note: parseHookNote(bytes.subarray(end)) };
}
