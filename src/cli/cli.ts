import type { Containers } from "../engine/types.ts";
import type { Images } from "../image/types.ts";

/** Options before the command's name. Paths are absolute. */
export interface GlobalOptions {
  readonly root: string;
  readonly runroot: string;
  readonly debug: boolean;
}

/** The parts of the engine that commands drive. */
export interface CliEngine {
  readonly containers: Containers;
  readonly images: Images;
}

/** What commands see of the world: everything that a test would want to replace. */
export interface Cli {
  readonly options: GlobalOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes to standard output. */
  out(text: string): void;
  /** Writes to standard error. */
  err(text: string): void;
  isTerminal(descriptor: 0 | 1 | 2): boolean;
  /** The engine on the store that the global options name; opened by the first call. */
  engine(): Promise<CliEngine>;
}
