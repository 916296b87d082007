import { appendFileSync } from "node:fs";
import { toGalleyError } from "../../errors.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../usage-error.ts";
import type { RuntimeGlobals } from "./globals.ts";

/** Says what went wrong where managers look: on standard error, and in the log that --log names. Returns the exit status. */
export function reportRuntimeFailure(
  cli: Cli,
  globals: RuntimeGlobals | undefined,
  failure: unknown,
  status = 1,
): number {
  const usage = failure instanceof UsageError;
  const message = usage ? failure.message : toGalleyError(failure).describe();
  cli.err(`${message}\n`);
  if (globals !== undefined && globals.log !== "") writeLog(globals, message);
  if (globals?.debug === true && failure instanceof Error) cli.err(`${failure.stack ?? ""}\n`);
  return usage ? failure.status : status;
}

/** A line as logrus writes it, which containerd and docker read. */
function writeLog({ log, "log-format": format }: RuntimeGlobals, message: string): void {
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const line =
    format === "json"
      ? JSON.stringify({ level: "error", msg: message, time })
      : `time=${JSON.stringify(time)} level=error msg=${JSON.stringify(message)}`;
  try {
    appendFileSync(log, `${line}\n`, { mode: 0o644 });
  } catch {
    // The message is on standard error already.
  }
}
