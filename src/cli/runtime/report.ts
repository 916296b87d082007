import { toGalleyError } from "../../errors.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../usage-error.ts";
import type { RuntimeGlobals } from "./globals.ts";
import { logFailure, runtimeLog } from "./log.ts";

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
  if (globals !== undefined) {
    logFailure(cli, globals, message);
    if (failure instanceof Error) runtimeLog(cli, globals).debug(failure.stack ?? message);
  }
  return usage ? failure.status : status;
}
