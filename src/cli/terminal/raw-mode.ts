import { rawSettings, setTerminal, terminalSettings } from "./termios.ts";

/** Signals that would end this process and leave the terminal raw. */
const deadly = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;
const numbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/** A terminal in raw mode. */
export interface RawMode {
  /** Puts the old settings back; harmless when done twice. */
  restore(): void;
}

/**
 * Puts a terminal into raw mode. Its settings come back with {@link RawMode.restore}, and when the process ends by itself, by
 * an error, or by a signal that nobody else handles.
 */
export function enterRawMode(descriptor: number): RawMode {
  const before = terminalSettings(descriptor);
  let raw = true;
  const putBack = () => {
    if (!raw) return;
    raw = false;
    setTerminal(descriptor, before);
  };
  const undo = [onExit(putBack), ...deadly.map((name) => onSignal(name, putBack))];
  setTerminal(descriptor, rawSettings(before));
  return {
    restore() {
      for (const remove of undo) remove();
      putBack();
    },
  };
}

function onExit(action: () => void): () => void {
  process.on("exit", action);
  return () => process.off("exit", action);
}

/** Ends the process as the signal would have, unless another handler has taken it on. */
function onSignal(name: (typeof deadly)[number], action: () => void): () => void {
  const handler = () => {
    if (process.listenerCount(name) > 1) return;
    action();
    process.exit(128 + numbers[name]);
  };
  process.on(name, handler);
  return () => process.off(name, handler);
}
