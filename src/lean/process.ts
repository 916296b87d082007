import { parseSignal } from "../linux/signals.ts";
import { attempt, systemFailure } from "./system.ts";

const PATH_MAX = 4096;

let known: { readonly from: readonly string[]; readonly env: Record<string, string> } | undefined;

/** Of this start, not of the one whose memory this one continues. */
function environment(): Record<string, string> {
  if (known?.from !== system.environ) known = { from: system.environ, env: parsed(system.environ) };
  return known.env;
}

function parsed(environ: readonly string[]): Record<string, string> {
  const pairs = environ.map((text) => [text.split("=", 1)[0] ?? "", text.slice(text.indexOf("=") + 1)]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

function cwd(): string {
  const buffer = Buffer.alloc(PATH_MAX);
  const size = attempt("getcwd", buffer, PATH_MAX);
  if (size < 0) throw systemFailure(-size, "getcwd", undefined);
  return buffer.subarray(0, size - 1).toString();
}

/** A process alone: 0 and numbers below it would be groups of them, or all. */
function kill(pid: number, signal: number | string): void {
  if (!(Number.isSafeInteger(pid) && pid > 0)) throw new TypeError(`no process ${pid}`);
  const result = attempt("kill", pid, typeof signal === "number" ? signal : parseSignal(signal));
  if (result < 0) throw systemFailure(-result, "kill", undefined);
}

/** The part of Node's process that the OCI runtime uses. */
export const process = {
  get argv(): readonly string[] {
    return system.argv;
  },
  get env(): Record<string, string> {
    return environment();
  },
  get pid(): number {
    return attempt("getpid");
  },
  cwd,
  kill,
  geteuid: (): number => attempt("geteuid"),
  getegid: (): number => attempt("getegid"),
};
