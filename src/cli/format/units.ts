import { formatG } from "./number.ts";

const decimal = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Bytes in powers of 1000 with `precision` significant digits: `1.98MB`. */
export function humanSize(bytes: number, precision = 4): string {
  return scaled(bytes, 1000, decimal, precision);
}

/** Bytes in powers of 1024 with four significant digits: `23.54GiB`. */
export function binarySize(bytes: number): string {
  return scaled(bytes, 1024, binary, 4);
}

function scaled(bytes: number, base: number, names: readonly string[], precision: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= base && unit < names.length - 1; unit++) value /= base;
  return `${formatG(value, precision)}${names[unit]}`;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Seconds in words, as docker puts them: `About a minute`, `3 weeks`. */
export function humanDuration(seconds: number): string {
  const whole = Math.trunc(seconds);
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.trunc(seconds / HOUR + 0.5);
  const count = (value: number, unit: string) => `${Math.trunc(value)} ${unit}`;
  if (whole < 1) return "Less than a second";
  if (whole === 1) return "1 second";
  if (whole < 60) return count(whole, "seconds");
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return count(minutes, "minutes");
  if (hours === 1) return "About an hour";
  if (hours < 48) return count(hours, "hours");
  if (hours < 24 * 14) return count(hours / 24, "days");
  if (hours < 24 * 60) return count(hours / 24 / 7, "weeks");
  if (hours < 24 * 365 * 2) return count(hours / 24 / 30, "months");
  return count(seconds / DAY / 365, "years");
}

/** How long ago an RFC 3339 time was, in words with `ago`. `now` in milliseconds since 1970. */
export function ago(time: string, now: number): string {
  return `${humanDuration((now - Date.parse(time)) / 1000)} ago`;
}
