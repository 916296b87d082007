import { closeSync, constants, openSync, readlinkSync, readSync, rmSync, writeSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { describeErrno } from "../../linux/errno.ts";
import type { Home } from "./home.ts";
import { runHooks } from "./hooks.ts";
import { statusOf, storedConfig, storedState } from "./state.ts";

/** Milliseconds between two looks at a process that is about to be executed. */
const LOOK = 1;

/** Lets a created container execute its command (runtime-spec runtime.md, "Start"). */
export async function startContainer(home: Home, native: string): Promise<void> {
  const stored = storedState(home);
  const status = statusOf(home, stored);
  if (status === "stopped") {
    throw new GalleyError("failed_precondition", "cannot start a container that has stopped", { subject: home.id });
  }
  if (status !== "created") {
    throw new GalleyError("failed_precondition", "cannot start an already running container", { subject: home.id });
  }
  const scene = { config: storedConfig(home), state: stored, native };
  await runHooks("startContainer", { ...scene, status: "created" });
  const told = await openGate(home, stored.pid);
  rmSync(home.gate, { force: true });
  if (told === undefined) return runHooks("poststart", { ...scene, status: "running" });
  const [step = 0, error = 0] = told;
  throw new GalleyError(
    "failed_precondition",
    `unable to start container process: step ${step}: ${describeErrno(error)}`,
  );
}

/** Opens the gate, and waits until the process is another program or none. The step and error number that it told, if it told any. */
async function openGate({ gate }: Home, pid: number): Promise<readonly number[] | undefined> {
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

function told(reader: number): readonly number[] | undefined {
  const buffer = new Uint8Array(64);
  try {
    if (readSync(reader, buffer) < 8) return undefined;
  } catch (failure) {
    if ((failure as { code?: unknown }).code !== "EAGAIN") throw failure;
    return undefined;
  }
  const view = new DataView(buffer.buffer);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}
