/** How a filter is installed: the flags of seccomp(2) and the listener of SCMP_ACT_NOTIFY (seccomp_unotify(2)). */
import { GalleyError } from "../../errors.ts";
import type { SeccompConfig } from "../../spec/runtime.ts";

const flagValues: Readonly<Record<string, number | undefined>> = {
  /** All threads; a container's first process has one, so there is nothing to synchronise. */
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 1 << 1,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 1 << 2,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 1 << 5,
};
const NEW_LISTENER = 1 << 3;
const SPEC_ALLOW = 1 << 2;

/** The names of all flags, for `features` and for validation. */
export const knownFlags: readonly string[] = Object.keys(flagValues);

/**
 * The flags' value. Without a list of flags speculation is left alone (SPEC_ALLOW), as other runtimes do: the mitigation would slow
 * every program down. An empty list is a list. Throws `invalid_argument` for an unknown name.
 */
export function filterFlags(flags: readonly string[] | undefined, listener: boolean): number {
  const base = listener ? NEW_LISTENER : 0;
  if (flags === undefined) return base | SPEC_ALLOW;
  return flags.reduce((sum, name, index) => sum | flagValue(name, index), base);
}

function flagValue(name: string, index: number): number {
  const value = Object.hasOwn(flagValues, name) ? flagValues[name] : undefined;
  if (value !== undefined) return value;
  throw new GalleyError("invalid_argument", `unknown seccomp flag ${JSON.stringify(name)}`, {
    subject: `linux.seccomp.flags[${index}]`,
    hint: `use one of ${knownFlags.join(", ")}`,
  });
}

/**
 * Whether any rule notifies. Not the default, and not write: the descriptor of the listener could not be handed over any more.
 * Throws `invalid_argument` for those.
 */
export function usesListener(config: SeccompConfig): boolean {
  const notifies = "SCMP_ACT_NOTIFY";
  if (config.defaultAction === notifies) throw cannotNotify("as default action", "linux.seccomp.defaultAction");
  const rules = config.syscalls ?? [];
  const bad = rules.findIndex(({ action, names }) => action === notifies && names.includes("write"));
  if (bad >= 0) throw cannotNotify("for the write syscall", `linux.seccomp.syscalls[${bad}]`);
  return rules.some(({ action }) => action === notifies);
}

function cannotNotify(what: string, subject: string): GalleyError {
  return new GalleyError("invalid_argument", `SCMP_ACT_NOTIFY cannot be used ${what}`, { subject });
}
