/** The OCI runtime's command line: `galley runtime COMMAND`, or this program called runc, crun or galley-runtime. */
import { nativeProgram } from "../assets.ts";
import type { Cli } from "../cli.ts";
import { parseFlags } from "../flags/parse.ts";
import { UsageError } from "../usage-error.ts";
import type { RuntimeCommand } from "./command.ts";
import { type RuntimeGlobals, runtimeFlags, runtimeRoot, usualRoot } from "./globals.ts";
import { runtimeLog } from "./log.ts";
import { reportRuntimeFailure } from "./report.ts";
import { runtimeCommands } from "./table.ts";

/** Runs a command of the runtime. Resolves with the exit status; failures have been reported by then. */
export async function runRuntime(cli: Cli, argv: readonly string[]): Promise<number> {
  let globals: RuntimeGlobals | undefined;
  try {
    const flags = { ...runtimeFlags, help: flag("h"), version: flag("v") };
    const parsed = parseFlags(flags, argv, { interspersed: false });
    globals = parsed.values;
    const [name, ...rest] = parsed.args;
    if (parsed.values.version || name === "version") return await showVersion(cli);
    if (parsed.values.help || name === undefined || name === "help" || name === "h")
      return await showHelp(cli, rest[0]);
    const load = commandLoader(name);
    return await runCommand(cli, globals, name, (await load()).command, rest);
  } catch (failure) {
    return reportRuntimeFailure(cli, globals, failure);
  }
}

async function showVersion(cli: Cli): Promise<number> {
  const { runtimeVersion } = await import("./version.ts");
  return say(cli, runtimeVersion());
}

/** Of the whole, or of the command that is named. */
async function showHelp(cli: Cli, name: string | undefined): Promise<number> {
  const { helpOf, overview } = await import("./help.ts");
  return say(cli, name === undefined ? await overview() : helpOf(name, (await commandLoader(name)()).command));
}

function commandLoader(name: string) {
  const load = Object.hasOwn(runtimeCommands, name) ? runtimeCommands[name] : undefined;
  if (load === undefined) throw new UsageError(`No help topic for '${name}'`, 1, true);
  return load;
}

function flag(short: string) {
  return {
    usage: "",
    type: "",
    bare: "true",
    short,
    initial: false,
    set: (_: boolean, text: string) => text === "true",
  };
}

function say(cli: Cli, text: string): number {
  cli.out(text);
  return 0;
}

async function runCommand(
  cli: Cli,
  globals: RuntimeGlobals,
  name: string,
  command: RuntimeCommand,
  argv: readonly string[],
): Promise<number> {
  const flags = { ...command.flags, help: flag("h") };
  const { values, args, changed } = parseFlags(flags, argv, { interspersed: command.interspersed ?? true });
  if (values.help) return showHelp(cli, name);
  const { least, most = Number.POSITIVE_INFINITY } = command.args;
  if (args.length < least || args.length > most) {
    const wanted =
      least === most ? `exactly ${least}` : args.length < least ? `a minimum of ${least}` : `a maximum of ${most}`;
    throw new UsageError(`runtime: "${name}" requires ${wanted} argument(s)`, 1, true);
  }
  const root = runtimeRoot(globals, cli.env);
  const native = (): string => nativeProgram({ root: usualRoot(cli.env) });
  try {
    return await command.run({
      cli,
      globals,
      log: runtimeLog(cli, globals),
      root,
      native,
      flags: values,
      args,
      changed,
    });
  } catch (failure) {
    return reportRuntimeFailure(cli, globals, failure, command.failureStatus);
  }
}
