/** The OCI runtime's command line: `galley runtime COMMAND`, or this program called runc, crun or galley-runtime. */
import { GalleyError } from "../../errors.ts";
import { nativeProgram } from "../assets.ts";
import type { Cli } from "../cli.ts";
import { parseFlags } from "../flags/parse.ts";
import { UsageError } from "../usage-error.ts";
import { version } from "../version.ts";
import type { RuntimeCommand } from "./command.ts";
import { type RuntimeGlobals, runtimeFlags, runtimeRoot, usualRoot } from "./globals.ts";
import { helpOf, overview } from "./help.ts";
import { reportRuntimeFailure } from "./report.ts";
import { runtimeCommands } from "./table.ts";

/** The specification whose configurations are read. */
const SPEC = "1.3.0";

/** Runs a command of the runtime. Resolves with the exit status; failures have been reported by then. */
export async function runRuntime(cli: Cli, argv: readonly string[]): Promise<number> {
  let globals: RuntimeGlobals | undefined;
  try {
    const flags = { ...runtimeFlags, help: flag("h"), version: flag("v") };
    const parsed = parseFlags(flags, argv, { interspersed: false });
    globals = parsed.values;
    const [name, ...rest] = parsed.args;
    if (parsed.values.version || name === "version") return say(cli, `galley version ${version}\nspec: ${SPEC}\n`);
    if (parsed.values.help || name === undefined || name === "help")
      return say(cli, overview(Object.keys(runtimeCommands)));
    const load = runtimeCommands[name];
    if (load === undefined) throw new UsageError(`No help topic for '${name}'`, 1, true);
    if (globals["systemd-cgroup"]) {
      throw new GalleyError("unimplemented", "--systemd-cgroup is not supported yet", {
        hint: "use the cgroupfs driver",
      });
    }
    return await runCommand(cli, globals, name, (await load()).command, rest);
  } catch (failure) {
    return reportRuntimeFailure(cli, globals, failure);
  }
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
  if (values.help) return say(cli, helpOf(name, command));
  const { least, most = Number.POSITIVE_INFINITY } = command.args;
  if (args.length < least || args.length > most) {
    const wanted =
      least === most ? `exactly ${least}` : args.length < least ? `a minimum of ${least}` : `a maximum of ${most}`;
    throw new UsageError(`runtime: "${name}" requires ${wanted} argument(s)`, 1, true);
  }
  const root = runtimeRoot(globals, cli.env);
  const native = (): string => nativeProgram({ root: usualRoot(cli.env) });
  try {
    return await command.run({ cli, globals, root, native, flags: values, args, changed });
  } catch (failure) {
    return reportRuntimeFailure(cli, globals, failure, command.failureStatus);
  }
}
