import { GalleyError } from "../../errors.ts";
import type { ConsoleTarget } from "../types.ts";

/**
 * Where the other side of a process's terminal goes; undefined for a process without one. Throws `invalid_argument`, in runc's words, where
 * there is nobody to take it, and where a socket waits for one in vain.
 */
export function consoleOf(terminal: boolean, target: ConsoleTarget | undefined): ConsoleTarget | undefined {
  if (terminal && target === undefined) {
    throw new GalleyError(
      "invalid_argument",
      "cannot allocate tty if runc will detach without setting console socket",
      { hint: "give --console-socket, or process.terminal false" },
    );
  }
  if (!terminal && target?.kind === "socket") throw needlessSocket();
  return terminal ? target : undefined;
}

/** A console socket that nothing will be sent to, as an error. */
export function needlessSocket(): GalleyError {
  return new GalleyError("invalid_argument", "cannot use console socket if runc will not detach or allocate tty");
}
