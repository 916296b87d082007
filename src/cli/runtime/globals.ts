import { isHostRoot } from "../../runtime/oci/rootless.ts";
import type { FlagSet, FlagValues } from "../flags/flag.ts";
import { bool, string } from "../flags/kinds.ts";

/** What runc takes before a command's name. */
export const runtimeFlags = {
  debug: bool({ usage: "Enable debug logging" }),
  log: string({ usage: "Set the log file to write the runtime's messages to (default is standard error)" }),
  "log-format": string({ usage: "Set the log format ('text' or 'json')", initial: "text" }, (format) => {
    if (format !== "text" && format !== "json") throw new Error(`invalid log-format: ${format}`);
  }),
  root: string({ usage: "Root directory for storage of container state", shownDefault: '"/run/galley-runtime"' }),
  criu: string({ usage: "", hidden: true }),
  "systemd-cgroup": bool({ usage: "Enable systemd cgroup support" }),
  rootless: string({ usage: "Ignore cgroup permission errors ('true', 'false', or 'auto')", initial: "auto" }),
  "cgroup-manager": string({ usage: "", hidden: true }),
} satisfies FlagSet;

export type RuntimeGlobals = FlagValues<typeof runtimeFlags>;

type Env = Readonly<Record<string, string | undefined>>;

/** The directory of state. */
export function runtimeRoot(globals: RuntimeGlobals, env: Env): string {
  return globals.root === "" ? usualRoot(env) : globals.root;
}

/**
 * Where nothing else is said: for the root of a user namespace as for its user, where he has such a directory. The native program is
 * kept there too: managers give roots of their own, which come and go.
 */
export function usualRoot(env: Env): string {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot && (!env.XDG_RUNTIME_DIR || isHostRoot())) return "/run/galley-runtime";
  return `${env.XDG_RUNTIME_DIR || `/run/user/${process.geteuid?.()}`}/galley-runtime`;
}
