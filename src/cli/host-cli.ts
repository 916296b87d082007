import { fstatSync } from "node:fs";
import type { Cli, CliEngine, GlobalOptions } from "./cli.ts";
import { writeText } from "./write-text.ts";

/** The real world. Its options are set once they have been read. */
export interface HostCli extends Cli {
  options: GlobalOptions;
  /** Whether the process is to be ended without winding up: something waits, or a store is open. */
  readonly mustLeave: boolean;
}

/** This process's streams and environment, and the store that the options name. */
export function hostCli(): HostCli {
  let mustLeave = false;
  let engine: Promise<CliEngine> | undefined;
  return {
    options: { root: "", runroot: "", debug: false },
    env: process.env,
    out: (text) => writeText(1, text),
    err: (text) => writeText(2, text),
    isTerminal,
    engine() {
      mustLeave = true;
      engine ??= import("./open-engine.ts").then(({ openCliEngine }) => openCliEngine(this.options));
      return engine;
    },
    leaveWhenDone() {
      mustLeave = true;
    },
    get mustLeave() {
      return mustLeave;
    },
  };
}

/** Whether a standard stream is a terminal. What is no character device is not asked further: that is slower. */
export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  try {
    if (!fstatSync(descriptor).isCharacterDevice()) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}
