import { openSync } from "node:fs";
import { become } from "../../linux/sys/become.ts";
import type { Afterwards } from "./afterwards.ts";

export interface Stay {
  readonly native: string;
  readonly pid: number;
  /** Our end of the terminal's socket, if the process has a terminal that is relayed. */
  readonly console: number | undefined;
  /** What comes at the end: the sections cleanup and remove of the recipe at this path, or a program. */
  readonly end: string | Afterwards | undefined;
  readonly subreaper: boolean;
}

/** Becomes the small program that is the process's parent until it ends: a whole runtime need not wait for it. */
export function stay({ native, pid, console, end, subreaper }: Stay): never {
  const recipe = typeof end === "string" ? openSync(end, "r") : undefined;
  const { command = [], env = [] } = typeof end === "object" ? end : {};
  const given = [recipe, console].filter((fd) => fd !== undefined);
  const flags = [
    ...(recipe === undefined ? [] : ["--recipe", String(recipe)]),
    ...(console === undefined ? [] : ["--console", String(console)]),
    ...(subreaper ? [] : ["--no-subreaper"]),
  ];
  return become(native, ["foreground", ...flags, String(pid), ...command], given, env);
}
