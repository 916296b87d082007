import type { LogLine } from "../types.ts";

/**
 * One line of docker's json-file format: `{"log":"text\n","stream":"stdout","time":"…Z"}`. A long line of a program is several, all
 * but the last without the line feed. Undefined for what is none: a line that was cut off, or that something else wrote.
 */
export function parseLine(text: string): LogLine | undefined {
  try {
    const { log, stream, time } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof log !== "string" || typeof time !== "string") return undefined;
    if (stream !== "stdout" && stream !== "stderr") return undefined;
    return { stream, time, data: Buffer.from(log) };
  } catch {
    return undefined;
  }
}

/** Unix seconds of RFC 3339 text in UTC, to the microsecond that a number can hold. */
export function secondsOf(time: string): number {
  const dot = time.indexOf(".", 19);
  const whole = Date.parse(dot < 0 ? time : `${time.slice(0, dot)}Z`) / 1000;
  return dot < 0 ? whole : whole + Number.parseFloat(`0${time.slice(dot)}`);
}
