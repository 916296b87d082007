import { resolve } from "node:path";
import { defaultRoots } from "../state/paths.ts";
import type { GlobalOptions } from "./cli.ts";
import type { FlagValues } from "./flags/flag.ts";
import { bool, string } from "./flags/kinds.ts";
import { UsageError } from "./usage-error.ts";

const levels = ["debug", "info", "warn", "error", "fatal"];

/** The options before a command's name. */
export const globalFlags = {
  debug: bool({ short: "D", usage: "Show the causes of failures and where they come from" }),
  help: bool({ short: "h", usage: "Print usage", hidden: true }),
  "log-level": string({
    short: "l",
    usage: 'Set the logging level ("debug", "info", "warn", "error", "fatal")',
    initial: "info",
  }),
  root: string({ usage: "Directory of the store, which survives a reboot", shownDefault: '"/var/lib/galley"' }),
  runroot: string({ usage: "Directory of live state, which does not", shownDefault: '"/run/galley"' }),
  snapshotter: string({
    usage: 'How new layers are kept ("auto", "erofs", "directories")',
    shownDefault: '"auto"',
  }),
  version: bool({ short: "v", usage: "Print version information and quit" }),
};

type Env = Readonly<Record<string, string | undefined>>;

/** The options with what the environment says where a flag is not given: GALLEY_ROOT, GALLEY_RUNROOT, GALLEY_SNAPSHOTTER. */
export function globalOptions(values: FlagValues<typeof globalFlags>, env: Env): GlobalOptions {
  const level = values["log-level"];
  if (!levels.includes(level)) throw new UsageError(`unable to parse logging level: ${level}`, 125, true);
  const defaults = defaultRoots(env);
  return {
    root: resolve(values.root || defaults.root),
    runroot: resolve(values.runroot || defaults.runroot),
    debug: values.debug || level === "debug",
    snapshotter: snapshotterOf(values.snapshotter || env.GALLEY_SNAPSHOTTER || "auto"),
  };
}

function snapshotterOf(word: string): NonNullable<GlobalOptions["snapshotter"]> {
  if (word === "auto" || word === "erofs" || word === "directories") return word;
  throw new UsageError(`unknown snapshotter: ${word} (use auto, erofs or directories)`, 125, true);
}
