/** The lean program: `galley-runtime`, the OCI runtime for managers that start it for every step of every container. */
import "./globals.ts";
import type { Cli } from "../cli/cli.ts";
import { runRuntime } from "../cli/runtime/runtime.ts";
import { writeText } from "../cli/write-text.ts";
import { preload } from "./commands.ts";
import { handOver } from "./hand-over.ts";

declare global {
  var exitStatus: number;
  /** What each start calls. */
  var main: () => void;
}

/** No command of the runtime opens the engine or asks for a terminal. */
function leanCli(): Cli {
  return {
    options: { root: "", runroot: "", debug: false },
    env: process.env,
    out: (text) => writeText(1, text),
    err: (text) => writeText(2, text),
    isTerminal: () => false,
    engine: () => handOver("engine"),
    leaveWhenDone: () => {},
  };
}

globalThis.main = () => {
  void runRuntime(leanCli(), system.argv.slice(1)).then((status) => {
    globalThis.exitStatus = status;
  });
};

// All that a command may load is in the memory that the starts continue.
void preload().then(() => {
  globalThis.exitStatus = 0;
});
