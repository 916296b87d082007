import { readFileSync, readlinkSync } from "node:fs";
import type { RuntimeGlobals } from "./globals.ts";

/** A program that is run once a process has ended. */
export interface Afterwards {
  /** Its path, which is its own name too, and its arguments. */
  readonly command: readonly string[];
  /** Its whole environment. */
  readonly env: readonly string[];
}

/**
 * The deletion of a container by the whole runtime, with the log of this very command: its last hooks may have something to say, or systemd
 * is to be told, and the small program that waits for the process has no words.
 */
export function deletion(id: string, root: string, globals: RuntimeGlobals): Afterwards {
  const { log, "log-format": format } = globals;
  const flags = ["--root", root, "--log-format", format, ...(log === "" ? [] : ["--log", log])];
  return {
    command: [...thisProgram(), "runtime", ...flags, "delete", "--force", id],
    // By another name it would be the runtime without being told so.
    env: [...ownEnvironment(), "GALLEY_ARGV0=galley"],
  };
}

/** The words before our own arguments: from its sources the program is the engine with a script. */
function thisProgram(): readonly string[] {
  const words = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(1, -1);
  const own = process.argv.slice(2).length;
  return [readlinkSync("/proc/self/exe"), ...words.slice(0, words.length - own)];
}

function ownEnvironment(): readonly string[] {
  const { GALLEY_ARGV0: _, ...rest } = process.env;
  return Object.entries(rest).map(([name, value]) => `${name}=${value}`);
}
