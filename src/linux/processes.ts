import { readFileSync, readlinkSync } from "node:fs";

/** A process that is told from a later one of the same number by its start: clock ticks since boot (proc_pid_stat(5), field 22). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** Whether that very process still runs; one that has ended but was not reaped does not. */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return startTimeOf(pid) === startTime;
}

/** The start time of a process that runs; undefined for one that has ended. */
export function startTimeOf(pid: number | "self"): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The command's name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** A process as others can find it again. Processes of another pid namespace cannot be looked for. */
export interface Holder extends ProcessIdentity {
  readonly namespace: string;
}

let self: Holder | undefined;

/** This process. */
export function thisProcess(): Holder {
  self ??= {
    pid: process.pid,
    startTime: startTimeOf("self") ?? "",
    namespace: readlinkSync("/proc/self/ns/pid"),
  };
  return self;
}

/** Whether a holder may still be at work: one of another pid namespace is given the benefit of the doubt. */
export function mayBeAlive(holder: Holder): boolean {
  return holder.namespace !== thisProcess().namespace || isAlive(holder);
}

let boot: string | undefined;

/** The kernel's random name for this boot (random(4)). */
export function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return boot;
}
