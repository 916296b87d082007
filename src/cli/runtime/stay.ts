import { openSync } from "node:fs";
import { become } from "../../linux/sys/become.ts";

export interface Stay {
  readonly native: string;
  readonly pid: number;
  /** Our end of the terminal's socket, if the process has a terminal that is relayed. */
  readonly console: number | undefined;
  /** The recipe whose sections cleanup and remove are run at the end. */
  readonly end: string | undefined;
  readonly subreaper: boolean;
}

/** Becomes the small program that is the process's parent until it ends: a whole runtime need not wait for it. */
export function stay({ native, pid, console, end, subreaper }: Stay): never {
  const recipe = end === undefined ? undefined : openSync(end, "r");
  const given = [recipe, console].filter((fd) => fd !== undefined);
  const flags = [
    ...(recipe === undefined ? [] : ["--recipe", String(recipe)]),
    ...(console === undefined ? [] : ["--console", String(console)]),
    ...(subreaper ? [] : ["--no-subreaper"]),
  ];
  return become(native, ["foreground", ...flags, String(pid)], given);
}
