/** Runs the native program for a process that keeps this program's own standard streams. */
import { GalleyError } from "../../errors.ts";
import type { Recipe, Step } from "../../recipe/recipe.ts";
import type { Report } from "../../recipe/report.ts";
import type { RuntimeLog } from "./log.ts";
import type { Place } from "./placed-run.ts";
import { reportedRun } from "./reported-run.ts";

const NEW_LISTENER = 1 << 3;

export interface NativeRun {
  /** Path of the native program. */
  readonly native: string;
  /** Descriptors 3 to 2 + this number go to the process as they are. */
  readonly preserved: number;
  /** The process waits at a gate, so its exec is not awaited. */
  readonly gated: boolean;
  /** A terminal's master is to come back through a socket, whose end is returned. */
  readonly relay: boolean;
  /** `create` or `exec`, for messages. */
  readonly op: string;
  readonly log: RuntimeLog;
  /** Does something to the native program, by its pid, before that does anything. */
  readonly place?: Place | undefined;
}

export interface Started {
  readonly report: Report;
  /** Our end of the terminal's socket, where one was asked for. */
  readonly console: number | undefined;
}

/** Executes a recipe without a shim. A failed step has been undone; it is thrown. */
export async function runManaged(recipe: Recipe, options: NativeRun): Promise<Started> {
  const { outside = [], inside = [] } = recipe.sections;
  // Tools that watch runtimes look for runc's words for the same stages.
  options.log.debug(`nsexec container setup: ${outside.length} steps outside, ${inside.length} inside`);
  for (const { op, args } of outside) {
    if (op === "sched_setaffinity") options.log.debug(`nsexec: affinity: ${maskText(args[1] as Uint8Array)}`);
  }
  const { report, result } = await reportedRun(recipe, options.op, (path, fd) => {
    if (options.place === undefined) return spawn(path, fd, options);
    const held = (require("./placed-run.ts") as typeof import("./placed-run.ts")).hold(path, options.place);
    return spawn(held.path, fd, { ...options, place: held.place });
  });
  tellFilter(inside, options.log);
  options.log.debug(`child process in init(): ${report.pid}`);
  options.log.debug(options.gated ? "init: closing the pipe to signal completion" : "setns_init: about to exec");
  return { report, console: result };
}

/** A mask of CPUs as one number, the first CPU its lowest bit. */
function maskText(mask: Uint8Array): string {
  return `0x${BigInt(`0x${Buffer.from(mask).reverse().toString("hex")}`).toString(16)}`;
}

/** SECCOMP_FILTER_FLAG_*, as they were given to the kernel. */
function tellFilter(inside: readonly Step[], log: RuntimeLog): void {
  const filter = inside.find(({ op }) => op === "seccomp" || op === "seccomp_listen");
  if (filter === undefined) return;
  log.debug(`seccomp filter flags: ${Number(filter.args[0]) | (filter.op === "seccomp" ? 0 : NEW_LISTENER)}`);
}

/** The report's file comes behind what is preserved, and a terminal's socket behind that. */
async function spawn(path: string, report: number, options: NativeRun): Promise<number | undefined> {
  const { native, preserved, gated, relay } = options;
  const kept = Array.from({ length: preserved }, (_, index) => 3 + index);
  const reportFd = 3 + preserved;
  const flags = [
    ...(gated ? ["--no-exec-wait"] : []),
    ...(preserved > 0 ? ["--keep", String(preserved)] : []),
    ...(relay ? ["--pass", String(reportFd + 1)] : []),
  ];
  try {
    const child = Bun.spawn([native, "run", ...flags, path, String(reportFd)], {
      stdio: ["inherit", "inherit", "inherit", ...kept, report, ...(relay ? (["pipe"] as const) : [])],
      env: {},
    });
    await options.place?.(child.pid);
    await child.exited;
    const end: unknown = relay ? child.stdio[reportFd + 1] : undefined;
    return typeof end === "number" ? end : undefined;
  } catch (cause) {
    if (cause instanceof GalleyError) throw cause;
    throw new GalleyError("unavailable", "the native program cannot be started", { op: options.op, cause });
  }
}
