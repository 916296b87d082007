/** Where the runtime says what it does beside its result. Nothing waits for it and nothing of it fails. */
export interface RuntimeLog {
  /** For who looks for a fault: only with `--debug`. */
  debug(message: string): void;
  /** Something was asked for that is not done, though the command goes on. */
  warn(message: string): void;
}
