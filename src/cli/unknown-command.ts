import { type Found, namesIn } from "./find-command.ts";
import { nearest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";

/** The mistake of calling a command that is not there, with the one that was probably meant. Exit status 1, as docker's. */
export function unknownCommand(found: Extract<Found, { kind: "unknown" } | { kind: "help" }>): UsageError {
  if (found.kind === "help") return new UsageError(`unknown help topic: ${found.args.join(" ")}`, 1, true);
  const prefix = found.group === undefined ? "galley" : `galley ${found.group}`;
  const meant = nearest(found.word, namesIn(found.group));
  const suggestion = meant === undefined ? "" : `; did you mean '${prefix} ${meant}'?`;
  const help = `Run '${prefix} --help' for the commands that there are`;
  return new UsageError(`unknown command: ${prefix} ${found.word}${suggestion}\n\n${help}`, 1, true);
}
