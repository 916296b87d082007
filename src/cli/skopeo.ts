import type { FlagSet, FlagValues } from "./flags/flag.ts";
import { bool } from "./flags/kinds.ts";
import { parseFlags } from "./flags/parse.ts";
import { commonFlags } from "./places/flags.ts";
import { UsageError } from "./usage-error.ts";

/** skopeo's commands. */
export const skopeoCommands: readonly string[] = [
  ...["copy", "delete", "generate-sigstore-key", "inspect", "list-tags", "login", "logout", "manifest-digest"],
  ...["standalone-sign", "standalone-verify", "sync"],
];

/** Commands that skopeo's flags before a command's name mean something to. */
const takesCommon = new Set(["copy", "delete", "inspect", "list-tags", "sync"]);

/**
 * The arguments of a program called `skopeo` as Galley's own: what stands before the command's name goes behind it, and `inspect` is
 * about places only.
 */
export function skopeoArguments(argv: readonly string[]): readonly string[] {
  const globals: FlagSet = {
    ...commonFlags(),
    debug: bool({ usage: "" }),
    version: bool({ short: "v", usage: "" }),
    help: bool({ short: "h", usage: "" }),
  };
  const { values, args, changed } = parseFlags(globals, argv, { interspersed: false });
  if (values.version === true) return ["--version"];
  const [name, ...rest] = args;
  if (name === undefined || values.help === true) return name === undefined ? ["--help"] : [name, "--help"];
  if (!skopeoCommands.includes(name)) {
    throw new UsageError(
      `unknown command ${JSON.stringify(name)} for "skopeo": it has ${skopeoCommands.join(", ")}`,
      1,
      true,
    );
  }
  const given = takesCommon.has(name) ? forwarded(values, changed) : [];
  const own = name === "login" || name === "logout" ? ["--as-skopeo"] : name === "inspect" ? ["--as-skopeo"] : [];
  return [...(values.debug === true ? ["--debug"] : []), name, ...own, ...given, ...rest];
}

function forwarded(values: FlagValues<FlagSet>, changed: ReadonlySet<string>): readonly string[] {
  return [...changed]
    .filter((name) => name in commonFlags())
    .map((name) => `--${name}=${durations.has(name) ? `${values[name]}ns` : values[name]}`);
}

const durations = new Set(["command-timeout", "retry-delay"]);
