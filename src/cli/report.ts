import { GalleyError, toGalleyError } from "../errors.ts";
import { isSkopeo } from "./called-as.ts";
import type { Cli } from "./cli.ts";
import type { AnyCommand } from "./command.ts";
import { nearest } from "./suggest.ts";
import { ExitStatus, UsageError } from "./usage-error.ts";
import { BROKEN_PIPE_STATUS, BrokenPipe } from "./write-text.ts";

/** The command that failed, where one was found. */
export interface Failed {
  readonly command: AnyCommand;
  readonly path: string;
}

/** Says on standard error what went wrong and returns the exit status that goes with it. */
export function reportFailure(cli: Cli, failure: unknown, failed?: Failed): number {
  if (failure instanceof ExitStatus) return failure.status;
  if (failure instanceof BrokenPipe) return BROKEN_PIPE_STATUS;
  if (failure instanceof UsageError) {
    say(cli, isSkopeo() ? failure.message : usageMessage(failure, failed));
    return isSkopeo() ? 1 : failure.status;
  }
  const error = toGalleyError(failure);
  say(cli, describe(failure, cli.options.debug));
  return error.exitStatus ?? failed?.command.failureStatus ?? 1;
}

/** One line for a failure that does not end the command, as one of several containers. */
export function reportOne(cli: Cli, failure: unknown): void {
  say(cli, describe(failure, cli.options.debug));
}

/** Called as skopeo, in the form of skopeo's logger, which programs that call it take apart. */
function say(cli: Cli, text: string): void {
  const time = `${new Date().toISOString().slice(0, -5)}Z`;
  cli.err(isSkopeo() ? `time="${time}" level=fatal msg=${JSON.stringify(text)}\n` : `galley: ${text}\n`);
}

function describe(failure: unknown, debug: boolean): string {
  const text = toGalleyError(failure).describe();
  return debug ? `${text}${causes(failure)}` : text;
}

/** The failure and its causes, each with where it was thrown. */
function causes(failure: unknown): string {
  const lines: string[] = [];
  for (let at = failure, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) {
    const code = at instanceof GalleyError ? ` [${at.code}]` : "";
    lines.push(`\n${depth === 0 ? "thrown" : "caused by"}${code}: ${at.stack ?? at.message}`);
  }
  return lines.join("");
}

function usageMessage(error: UsageError, failed: Failed | undefined): string {
  if (error.brief) return error.message;
  const path = failed === undefined ? "galley" : `galley ${failed.path}`;
  const usage = failed === undefined ? "[OPTIONS] COMMAND [ARG...]" : failed.command.usage;
  const line = `${path} ${usage}`.trimEnd();
  return `${error.message}${suggestion(error, failed)}\n\nUsage:  ${line}\n\nRun '${path} --help' for more information`;
}

function suggestion(error: UsageError, failed: Failed | undefined): string {
  const typed = /^unknown flag: --(.+)$/.exec(error.message)?.[1];
  if (typed === undefined || failed === undefined) return "";
  const meant = nearest(typed, [...Object.keys(failed.command.flags), "help"]);
  return meant === undefined ? "" : ` (did you mean --${meant}?)`;
}
