/** The time that Go calls zero; it stands for "never". */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

/** Whether a time says anything. */
export function isZeroTime(time: string): boolean {
  return time === "" || time.startsWith("0001-01-01T00:00:00");
}

/** A time to the second in the local zone as Go prints it: `2026-11-24 02:10:42 +0000 UTC`. */
export function goTime(time: string): string {
  const date = new Date(time);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join("-");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  const offset = offsetOf(date, "");
  return `${parts} ${clock} ${offset} ${zoneName(date, offset)}`;
}

/** A time to the second in the local zone as RFC 3339 writes it. */
export function localRfc3339(time: string): string {
  const date = new Date(time);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join("-");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${parts}T${clock}${date.getTimezoneOffset() === 0 ? "Z" : offsetOf(date, ":")}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function offsetOf(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.trunc(size / 60))}${separator}${two(size % 60)}`;
}

/** The zone's usual letters; which locale knows them differs from zone to zone. Its offset where it has none. */
function zoneName(date: Date, offset: string): string {
  for (const locale of ["en-US", "en-GB"]) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: "short" }).formatToParts(date);
    const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
    if (/^[A-Z]{2,5}$/.test(name)) return name === "GMT" && date.getTimezoneOffset() === 0 ? utcOrGmt() : name;
  }
  return offset;
}

function utcOrGmt(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone === "UTC" ? "UTC" : "GMT";
}
