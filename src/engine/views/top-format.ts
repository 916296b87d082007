/** How ps(1) writes times, terminals and states. */
import type { ProcessFacts } from "./process-facts.ts";

/** Percent of one CPU, over the whole life. */
export function cpuShare({ cpuTime, elapsed }: ProcessFacts): number {
  return elapsed > 0 ? (100 * cpuTime) / elapsed : 0;
}

/** `[DD-]HH:MM:SS`. */
export function clockTime(seconds: number): string {
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  const clock = [hours, Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60].map(twoDigits).join(":");
  return days > 0 ? `${twoDigits(days)}-${clock}` : clock;
}

/** `[[DD-]HH:]MM:SS`. */
export function elapsedTime(seconds: number): string {
  const clock = clockTime(seconds);
  return clock.startsWith("00:") ? clock.slice(3) : clock;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `13:04` today, `Nov24` this year, else the year. Both in milliseconds since 1970. */
export function startDate(started: number, now: number): string {
  const [date, today] = [new Date(started), new Date(now)];
  if (date.getFullYear() !== today.getFullYear()) return String(date.getFullYear());
  if (date.toDateString() === today.toDateString())
    return `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
  return `${months[date.getMonth()]}${twoDigits(date.getDate())}`;
}

/** `13:04:05` within a day, else ` Nov 24`. */
export function startClock(started: number, now: number): string {
  const date = new Date(started);
  if (now - started < 86_400_000) {
    return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
  }
  return `${months[date.getMonth()]} ${twoDigits(date.getDate())}`;
}

/** `pts/3` for a device number, `?` for none (proc_pid_stat(5), tty_nr; Documentation/admin-guide/devices.txt). */
export function terminalName(device: number): string {
  if (device === 0) return "?";
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${minor + (major - 136) * 256}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return major === 5 && minor === 1 ? "console" : "?";
}

/** The state with the marks of BSD: priority, locked memory, session leader, threads, foreground. */
export function processState(process: ProcessFacts): string {
  const { state, nice, locked, session, pid, threads, foreground, pgid } = process;
  return [
    state,
    nice < 0 ? "<" : nice > 0 ? "N" : "",
    locked > 0 ? "L" : "",
    session === pid ? "s" : "",
    threads > 1 ? "l" : "",
    foreground > 0 && foreground === pgid ? "+" : "",
  ].join("");
}
