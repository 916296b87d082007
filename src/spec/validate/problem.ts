import type { RuntimeConfig } from "../runtime.ts";

/** What is wrong with a configuration, and where: `process.rlimits[1].type`. A warning does not keep a container from being made. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly field: string;
  readonly message: string;
  readonly hint?: string;
}

/**
 * The names that the kernel's side understands. Validation stands below the code that has the tables, so they are handed in; see
 * linux/vocabulary.ts.
 */
export interface Vocabulary {
  /** With `CAP_`, in capitals. */
  readonly isCapability: (name: string) => boolean;
  readonly isRlimit: (type: string) => boolean;
  /** Options of mount(8) that are not a file system's own. */
  readonly isMountWord: (option: string) => boolean;
  readonly seccompActions: readonly string[];
  readonly seccompOperators: readonly string[];
  readonly seccompArchitectures: readonly string[];
  readonly seccompFlags: readonly string[];
}

export interface ValidationContext {
  readonly vocabulary: Vocabulary;
  /** The machine's cgroup layout; checks that depend on it are left out where absent. */
  readonly cgroups?: "none" | "v1" | "hybrid" | "v2";
  /** The runtime has no privilege on the host. */
  readonly rootless?: boolean;
  /** Whether a path names the caller's own network namespace. */
  readonly isOwnNetwork?: (path: string) => boolean;
  /** Whether a path lies on a procfs; where absent, the start is left to see. */
  readonly isProcfs?: (path: string) => boolean;
}

/** One rule: the problems it finds, none where it is kept or does not concern the configuration. */
export type Check = (config: RuntimeConfig, context: ValidationContext) => readonly Problem[];

/** A problem that refuses the configuration. */
export function error(field: string, message: string, hint?: string): Problem {
  return { severity: "error", field, message, ...(hint === undefined ? {} : { hint }) };
}

/** A problem that is only reported. */
export function warning(field: string, message: string, hint?: string): Problem {
  return { severity: "warning", field, message, ...(hint === undefined ? {} : { hint }) };
}

/** The problem, if the condition holds: for rules that are one line. */
export function when(condition: boolean, problem: Problem): readonly Problem[] {
  return condition ? [problem] : [];
}

/** `key` for names that need no quotes, `["a.b"]` for others. */
export function keyed(field: string, key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `${field}.${key}` : `${field}[${JSON.stringify(key)}]`;
}
