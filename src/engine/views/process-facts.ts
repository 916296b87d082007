/** What /proc tells of a process (proc_pid_stat(5) and its neighbours). */
import { readFileSync } from "node:fs";

export interface ProcessFacts {
  readonly pid: number;
  readonly comm: string;
  /** With its arguments; the name in brackets where there are none. */
  readonly command: string;
  readonly state: string;
  readonly ppid: number;
  readonly pgid: number;
  readonly session: number;
  /** Device number of the terminal, 0 for none. */
  readonly tty: number;
  /** Foreground process group of the terminal. */
  readonly foreground: number;
  readonly flags: number;
  readonly priority: number;
  readonly nice: number;
  readonly threads: number;
  readonly processor: number;
  /** Seconds of CPU used, and since the start. */
  readonly cpuTime: number;
  readonly elapsed: number;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** KiB. */
  readonly virtual: number;
  readonly resident: number;
  /** KiB that are locked in memory. */
  readonly locked: number;
  readonly uid: { readonly real: number; readonly effective: number };
  readonly gid: { readonly real: number; readonly effective: number };
}

export type ReadProc = (path: string) => string;

const readProc: ReadProc = (path) => readFileSync(path, "utf8");

/** Clock ticks of a second, as everything in /proc counts them (USER_HZ). */
const TICKS = 100;
const PAGE_KIB = 4;

/** The machine's moment at which processes are looked at. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Seconds since boot. */
  readonly uptime: number;
  /** KiB of memory. */
  readonly memory: number;
}

export function momentOf(read: ReadProc = readProc): Moment {
  const memory = /^MemTotal:\s*([0-9]+) kB$/m.exec(read("/proc/meminfo"))?.[1];
  return { now: Date.now(), uptime: Number.parseFloat(read("/proc/uptime")), memory: Number(memory ?? 0) };
}

/** Undefined for a process that is gone. */
export function processFacts(pid: number, moment: Moment, read: ReadProc = readProc): ProcessFacts | undefined {
  try {
    return parseFacts(pid, moment, {
      stat: read(`/proc/${pid}/stat`),
      status: read(`/proc/${pid}/status`),
      cmdline: read(`/proc/${pid}/cmdline`),
    });
  } catch (failure) {
    const { code } = failure as { code?: unknown };
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw failure;
  }
}

/** The name in parentheses may hold anything: the fields begin after the last one. */
function parseFacts(
  pid: number,
  moment: Moment,
  files: Readonly<Record<"stat" | "status" | "cmdline", string>>,
): ProcessFacts {
  const { stat, status, cmdline } = files;
  const close = stat.lastIndexOf(")");
  const comm = stat.slice(stat.indexOf("(") + 1, close);
  const fields = stat.slice(close + 2).split(" ");
  /** By its number in the manual page. */
  const field = (number: number): number => Number(fields[number - 3] ?? 0);
  const elapsed = Math.max(0, moment.uptime - field(22) / TICKS);
  return {
    pid,
    comm,
    command: commandOf(cmdline, comm),
    state: fields[0] ?? "?",
    ppid: field(4),
    pgid: field(5),
    session: field(6),
    tty: field(7),
    foreground: field(8),
    flags: field(9),
    priority: field(18),
    nice: field(19),
    threads: field(20),
    processor: field(39),
    cpuTime: (field(14) + field(15)) / TICKS,
    elapsed,
    started: moment.now - elapsed * 1000,
    virtual: Math.floor(field(23) / 1024),
    resident: field(24) * PAGE_KIB,
    locked: Number(/^VmLck:\s*([0-9]+)/m.exec(status)?.[1] ?? 0),
    uid: idsOf(status, "Uid"),
    gid: idsOf(status, "Gid"),
  };
}

/** What would move a terminal's cursor, or look like more lines, is shown as a question mark. */
function commandOf(cmdline: string, comm: string): string {
  const text = cmdline.replace(/\0+$/, "").replaceAll("\0", " ");
  return (text === "" ? `[${comm}]` : text).replace(/[\p{Cc}]/gu, "?");
}

function idsOf(status: string, name: "Uid" | "Gid"): { readonly real: number; readonly effective: number } {
  const line = status.split("\n").find((one) => one.startsWith(`${name}:`)) ?? "";
  const [, real = "0", effective = "0"] = line.split(/\s+/);
  return { real: Number(real), effective: Number(effective) };
}
