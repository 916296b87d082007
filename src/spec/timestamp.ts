import { parseDuration } from "./duration.ts";

const NANOSECONDS = 1e9;

/**
 * Unix seconds of a moment: a length of time before now (`42m`), Unix seconds (`1136073600.5`), or RFC 3339 with parts left out
 * (`2006-01-02`, `2006-01-02T15:04`), which is local time without a zone. Throws an Error for anything else.
 * @param now milliseconds since 1970
 */
export function parseTimestamp(text: string, now: number): number {
  if (/^-?[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text);
  const date =
    /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?))?(Z|[+-][0-9]{2}:[0-9]{2})?$/;
  const match = date.exec(text);
  if (match !== null) return fromParts(text, match[1] ?? "", match[2] ?? "00", match[3] ?? "");
  try {
    return now / 1000 - parseDuration(text) / NANOSECONDS;
  } catch {
    throw invalid(text);
  }
}

function fromParts(text: string, day: string, clock: string, zone: string): number {
  const [hour = "00", minute = "00", second = "00"] = clock.split(":");
  const [whole = "00", fraction = ""] = second.split(".");
  const seconds = Date.parse(`${day}T${hour}:${minute}:${whole}${zone}`) / 1000;
  if (Number.isNaN(seconds)) throw invalid(text);
  return seconds + Number(`0.${fraction || "0"}`);
}

function invalid(text: string): Error {
  return new Error(`failed to parse value as time or duration: "${text}"`);
}
