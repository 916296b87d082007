import { GalleyError } from "../../errors.ts";
import { errno } from "../../linux/errno.ts";
import { isAlive, type ProcessIdentity } from "../../linux/processes.ts";
import { parseSignal, signals } from "../../linux/signals.ts";
import { findRecord, notRunning } from "../records/find.ts";
import type { ContainerRecord } from "../records/record.ts";
import { isActive, lifeOf } from "../records/view.ts";
import { ShimConnection } from "../shim/connection.ts";
import { request, type ShimExit } from "../shim/frames.ts";
import { type Parts, placesIn } from "./parts.ts";

/** Seconds that a container has to stop, where nobody says otherwise. */
const DEFAULT_TIMEOUT = 10;
/** Milliseconds for what SIGKILL must end. */
const KILL_PATIENCE = 30_000;
/** Milliseconds between two looks at a process that nobody waits for. */
const LOOK = 5;

export interface StopOptions {
  /** Seconds; -1 waits for ever. */
  readonly timeout?: number;
  readonly signal?: string;
}

/** Sends the stop signal, and SIGKILL when the time is over. A no-op for a container that does not run. Restarts are given up. */
export async function stopContainer(parts: Parts, container: string, options: StopOptions = {}): Promise<void> {
  const record = findRecord(parts.table, container);
  const { spec, resolved } = record.made;
  const signal = parseSignal(options.signal || resolved.stopSignal || "TERM");
  const seconds = options.timeout ?? spec.stopTimeout ?? DEFAULT_TIMEOUT;
  if (await endWith(parts, record.id, signal, seconds < 0 ? undefined : seconds * 1000)) return;
  await killAndWait(parts, record.id);
}

/** Ends a container at once. */
export async function killAndWait(parts: Parts, id: string): Promise<void> {
  if (await endWith(parts, id, signals.KILL, KILL_PATIENCE)) return;
  throw new GalleyError("deadline_exceeded", "the container did not end by SIGKILL", {
    op: "kill",
    subject: id.slice(0, 12),
    hint: "a process of it hangs in the kernel: see its state in /proc",
  });
}

/**
 * Sends a signal that is to end the container, and waits until it has ended and been cleaned up after.
 * @param patience milliseconds; undefined: for ever
 * @returns whether it has ended
 */
async function endWith(parts: Parts, id: string, signal: number, patience: number | undefined): Promise<boolean> {
  const places = placesIn(parts, id);
  const shim = await ShimConnection.connect(places.socket);
  if (shim === undefined) return endUnattended(parts, id, signal, patience);
  try {
    const answered = shim.kill(signal, true);
    shim.askExit();
    if (signal !== signals.KILL && lifeOf(places).state === "paused") void shim.request(request.resume);
    await answered;
    return (await within(patience, shim.exit)) !== "late";
  } finally {
    shim.close();
  }
}

async function within(patience: number | undefined, exit: Promise<ShimExit | undefined>) {
  if (patience === undefined) return exit;
  let timer: Timer | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), patience);
  });
  try {
    return await Promise.race([exit, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** There is no shim, or it is at its very end. */
async function endUnattended(parts: Parts, id: string, signal: number, patience: number | undefined): Promise<boolean> {
  const life = lifeOf(placesIn(parts, id));
  if (life.status === undefined) return true;
  const process = life.attended || !isActive(life) ? life.status.shim : life.status.init;
  if (isActive(life) && !life.attended) await signalProcess(process, signal);
  if (life.state === "paused" && !life.attended) await (await import("./leftovers.ts")).thaw(parts, id);
  return awaitEnd(process, patience);
}

/** Nobody tells us: it is looked at again and again. */
async function awaitEnd(process: ProcessIdentity, patience = Number.POSITIVE_INFINITY): Promise<boolean> {
  for (const end = performance.now() + patience; isAlive(process); await Bun.sleep(LOOK)) {
    if (performance.now() > end) return false;
  }
  return true;
}

/** Through a pidfd, so that no other process of the same number can be hit. */
async function signalProcess(process: ProcessIdentity, signal: number): Promise<void> {
  const { close, pidfdOpen, pidfdSendSignal } = await import("../../linux/sys/sys.ts");
  const fd = pidfdOpen(process.pid);
  if (fd === undefined) return;
  if (isAlive(process)) pidfdSendSignal(fd, signal);
  close(fd);
}

/** Sends a signal. `failed_precondition` where the container does not run. SIGKILL is waited for, as docker does. */
export async function killContainer(parts: Parts, container: string, text = "KILL"): Promise<void> {
  const record = findRecord(parts.table, container);
  const signal = parseSignal(text);
  const life = lifeOf(placesIn(parts, record.id));
  if (!isActive(life)) throw notRunning(record, "kill");
  if (signal === signals.KILL) return killAndWait(parts, record.id);
  const shim = await ShimConnection.connect(placesIn(parts, record.id).socket);
  if (shim === undefined) {
    if (life.attended || life.status === undefined) throw notRunning(record, "kill");
    return signalProcess(life.status.init, signal);
  }
  try {
    const error = await shim.kill(signal, endsRestarts(record, signal));
    if (error === errno.ESRCH) throw notRunning(record, "kill");
  } finally {
    shim.close();
  }
}

/** docker gives a restart policy up at any signal, unless the container has a stop signal of its own and this is another. */
function endsRestarts({ made }: ContainerRecord, signal: number): boolean {
  const own = made.resolved.stopSignal;
  return own === "" || parseSignal(own) === signal;
}
