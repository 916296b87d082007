import { leaveNow } from "../linux/sys/leave.ts";
import { shownName } from "./called-as.ts";
import type { Cli } from "./cli.ts";
import type { AnyCommand } from "./command.ts";
import { type Found, findCommand } from "./find-command.ts";
import { bool } from "./flags/kinds.ts";
import { parseFlags } from "./flags/parse.ts";
import { globalFlags, globalOptions } from "./globals.ts";
import { type HostCli, hostCli } from "./host-cli.ts";
import { UsageError } from "./usage-error.ts";
import { version } from "./version.ts";

/**
 * Runs the command that the arguments name. Resolves with the exit status; failures have been reported by then.
 * @param translate turns the arguments of another program, by whose name this one was called, into our own
 */
export async function dispatch(
  given: readonly string[],
  translate: (argv: readonly string[]) => readonly string[] = (argv) => argv,
): Promise<number> {
  const cli = hostCli();
  const status = await runGlobal(cli, given, translate).catch(async (failure: unknown) =>
    (await import("./report.ts")).reportFailure(cli, failure),
  );
  // Everything was written when it was said, so nothing is lost by leaving.
  if (cli.mustLeave) leaveNow(status);
  return status;
}

async function runGlobal(
  cli: HostCli,
  given: readonly string[],
  translate: (argv: readonly string[]) => readonly string[],
): Promise<number> {
  const globals = parseFlags(globalFlags, translate(given), { interspersed: false });
  if (globals.values.version) {
    cli.out(`galley version ${version}\n`);
    return 0;
  }
  cli.options = globalOptions(globals.values, process.env);
  return runNamed(cli, globals.args, globals.values.help);
}

async function runNamed(cli: Cli, args: readonly string[], help: boolean): Promise<number> {
  if (help || args.length === 0) return showHelp(cli, args);
  const found = findCommand(args);
  if (found.kind === "command") return runCommand(cli, found);
  if (found.kind === "help") return showHelp(cli, found.args);
  throw (await import("./unknown-command.ts")).unknownCommand(found);
}

/** Runs a command whose flags are still to be read. */
async function runCommand(cli: Cli, found: Extract<Found, { kind: "command" }>): Promise<number> {
  const { command } = await found.entry.load();
  try {
    const { help, parsed } = parseCommandFlags(command, found.args);
    if (help) return await showHelp(cli, found.path.split(" "));
    checkArgs(command, found.path, parsed.args);
    return await command.run({ cli, flags: parsed.values, args: parsed.args, changed: parsed.changed });
  } catch (failure) {
    return (await import("./report.ts")).reportFailure(cli, failure, { command, path: found.path });
  }
}

/** The command's own flags and `--help`, with `-h` for it where the command leaves the letter free. */
function parseCommandFlags(command: AnyCommand, argv: readonly string[]) {
  const free = !Object.values(command.flags).some((flag) => flag.short === "h");
  const help = bool({ usage: "Print usage", ...(free ? { short: "h" } : {}) });
  const parsed = parseFlags({ ...command.flags, help }, argv, { interspersed: command.interspersed ?? true });
  return { help: parsed.values.help === true, parsed };
}

function checkArgs(command: AnyCommand, path: string, args: readonly string[]): void {
  const { least = 0, most = Number.POSITIVE_INFINITY } = command.args;
  if (args.length >= least && args.length <= most) return;
  throw new UsageError(`'${shownName()} ${path}' ${arity(least, most)}`, 1);
}

function arity(least: number, most: number): string {
  const plural = (count: number) => `${count} argument${count === 1 ? "" : "s"}`;
  if (most === 0) return "accepts no arguments";
  if (least === most) return `requires ${plural(least)}`;
  if (most === Number.POSITIVE_INFINITY) return `requires at least ${plural(least)}`;
  if (least === 0) return `accepts at most ${plural(most)}`;
  return `requires at least ${least} and at most ${plural(most)}`;
}

async function showHelp(cli: Cli, path: readonly string[]): Promise<number> {
  const { helpText } = await import("./help-text.ts");
  cli.out(await helpText(path, cli.isTerminal(1)));
  return 0;
}
