/** Environments as lists of `NAME=value`, in which each name stands once. */

/** What a program finds where neither image nor user says otherwise. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** `over` replaces what has the same name in its place, and is appended otherwise; a bare name takes the variable away. */
export function mergeEnvironment(base: readonly string[], over: readonly string[]): readonly string[] {
  if (over.length === 0) return base;
  const values = new Map<string, string>();
  for (const entry of base) values.set(nameOf(entry), entry);
  for (const entry of over) {
    const name = nameOf(entry);
    if (name === entry) values.delete(name);
    else values.set(name, entry);
  }
  return [...values.values()];
}

export function hasVariable(env: readonly string[], name: string): boolean {
  return env.some((entry) => nameOf(entry) === name);
}

function nameOf(entry: string): string {
  const at = entry.indexOf("=");
  return at < 0 ? entry : entry.slice(0, at);
}

/**
 * The environment of a process, as docker makes it: path, host name and, with a terminal, its kind come first, and are what image
 * and user say where they say something. `HOME` is the user's home directory where it is not set.
 */
export function processEnvironment(
  env: readonly string[],
  facts: { readonly hostname: string; readonly terminal: boolean; readonly home: string },
): readonly string[] {
  const first = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${facts.hostname}`, ...(facts.terminal ? ["TERM=xterm"] : [])];
  const all = mergeEnvironment(first, env);
  return hasVariable(all, "HOME") ? all : [...all, `HOME=${facts.home}`];
}
