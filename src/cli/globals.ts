import { resolve } from "node:path";
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
  version: bool({ short: "v", usage: "Print version information and quit" }),
};

type Env = Readonly<Record<string, string | undefined>>;

/** The options with what the environment says where a flag is not given: GALLEY_ROOT and GALLEY_RUNROOT. */
export function globalOptions(values: FlagValues<typeof globalFlags>, env: Env): GlobalOptions {
  const level = values["log-level"];
  if (!levels.includes(level)) throw new UsageError(`unable to parse logging level: ${level}`, 125, true);
  return {
    root: resolve(values.root || env.GALLEY_ROOT || defaultRoot(env)),
    runroot: resolve(values.runroot || env.GALLEY_RUNROOT || defaultRunroot(env)),
    debug: values.debug || level === "debug",
  };
}

function defaultRoot(env: Env): string {
  if (process.geteuid?.() === 0) return "/var/lib/galley";
  return `${env.XDG_DATA_HOME || `${env.HOME ?? ""}/.local/share`}/galley`;
}

function defaultRunroot(env: Env): string {
  const uid = process.geteuid?.();
  if (uid === 0) return "/run/galley";
  return `${env.XDG_RUNTIME_DIR || `/run/user/${uid}`}/galley`;
}
