import { signals } from "../../linux/signals.ts";

/** Not passed on: what cannot be caught, what this process causes itself, and what its own faults raise. */
const kept = new Set([
  "KILL",
  "STOP",
  "CHLD",
  "PIPE",
  "URG",
  "ILL",
  "TRAP",
  "BUS",
  "FPE",
  "SEGV",
  "SYS",
  "STKFLT",
  "PROF",
  "PWR",
]);

/** Catches this process's signals for somebody else. */
export interface SignalProxy {
  /** From now on signals go to `deliver`, first those that came before. */
  connect(deliver: (signal: number) => void): void;
  /** Signals act on this process again. */
  close(): void;
}

/**
 * Catches every signal that can be passed on. Until {@link SignalProxy.connect} they wait.
 * @param window the container's terminal follows ours, so that news of its size go another way
 */
export function proxySignals(window = false): SignalProxy {
  const waiting: number[] = [];
  let deliver = (signal: number): void => {
    waiting.push(signal);
  };
  const remove = Object.entries(signals)
    .filter(([name]) => !kept.has(name) && !(window && name === "WINCH"))
    .map(([name, number]) => listen(`SIG${name}` as NodeJS.Signals, () => deliver(number)));
  return {
    connect(to) {
      deliver = to;
      for (const signal of waiting.splice(0)) to(signal);
    },
    close() {
      for (const one of remove) one();
    },
  };
}

/** A signal that the runtime keeps for itself cannot be listened to, and is left alone. */
function listen(name: NodeJS.Signals, handler: () => void): () => void {
  try {
    process.on(name, handler);
  } catch {
    return () => {};
  }
  return () => process.off(name, handler);
}
