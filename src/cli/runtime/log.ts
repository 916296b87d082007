import { appendFileSync } from "node:fs";
import type { RuntimeLog } from "../../runtime/oci/log.ts";
import type { Cli } from "../cli.ts";
import type { RuntimeGlobals } from "./globals.ts";

type Level = "debug" | "warning" | "error";

/** The log that --log, --log-format and --debug name; standard error where no file is named. */
export function runtimeLog(cli: Cli, globals: RuntimeGlobals): RuntimeLog {
  const write = (level: Level, message: string): void => writeLine(cli, globals, level, message);
  return {
    debug(message) {
      if (globals.debug) write("debug", message);
    },
    warn: (message) => write("warning", message),
  };
}

/** What ends a command goes to the log only where that is a file: standard error has it in plain words. */
export function logFailure(cli: Cli, globals: RuntimeGlobals, message: string): void {
  if (globals.log !== "") writeLine(cli, globals, "error", message);
}

/** A line as logrus writes it, which containerd and docker read. */
function writeLine(cli: Cli, { log, "log-format": format }: RuntimeGlobals, level: Level, msg: string): void {
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const text = `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(msg)}`;
  const line = `${format === "json" ? JSON.stringify({ level, msg, time }) : text}\n`;
  if (log === "") {
    cli.err(line);
    return;
  }
  try {
    appendFileSync(log, line, { mode: 0o644 });
  } catch {
    // A log that cannot be written is no reason to stop.
  }
}
