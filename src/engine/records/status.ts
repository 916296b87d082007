import { readFileSync } from "node:fs";
import type { ProcessIdentity } from "../../linux/processes.ts";

/** The shim's status file, read: docs/recipes.md, "The shim's socket". Times are Unix nanoseconds, in decimal. */
export interface ShimStatus {
  readonly state: "running" | "paused" | "restarting" | "exited";
  readonly shim: ProcessIdentity;
  readonly init: ProcessIdentity;
  readonly started: string;
  /** Of the last run that has ended; absent where none has. */
  readonly finished?: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly restarts: number;
  readonly boot: string;
  /** A restart that failed: section, step and error number. */
  readonly failed?: string;
}

/** The status at `path`; undefined where the container has never been started, or is gone. */
export function readStatus(path: string): ShimStatus | undefined {
  try {
    return parseStatus(readFileSync(path, "latin1"));
  } catch (failure) {
    if ((failure as { code?: unknown }).code === "ENOENT") return undefined;
    throw failure;
  }
}

const states: readonly string[] = ["running", "paused", "restarting", "exited"];

/** Undefined for what is no status: a full disk leaves an empty file. */
export function parseStatus(text: string): ShimStatus | undefined {
  const values: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf(" ");
    if (at > 0) values[line.slice(0, at)] = line.slice(at + 1);
  }
  const { state = "", shim = "", init = "", started = "0", finished, failed } = values;
  if (!isState(state)) return undefined;
  return {
    state,
    shim: identity(shim),
    init: identity(init),
    started,
    ...(finished === undefined ? {} : { finished }),
    exitCode: Number(values.exit ?? 0),
    oomKilled: values.oom === "1",
    restarts: Number(values.restarts ?? 0),
    boot: values.boot ?? "",
    ...(failed === undefined ? {} : { failed }),
  };
}

function isState(text: string): text is ShimStatus["state"] {
  return states.includes(text);
}

function identity(text: string): ProcessIdentity {
  const [pid = "0", startTime = ""] = text.split(" ");
  return { pid: Number(pid), startTime };
}
