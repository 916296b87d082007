import { GalleyError } from "../../errors.ts";
import { parseTimestamp } from "../../spec/timestamp.ts";

/** Unix seconds of docker's `until=` filter. @param now milliseconds since 1970 */
export function untilMoment(value: string, now: number): number {
  try {
    return parseTimestamp(value, now);
  } catch {
    throw invalidFilter(`until=${value}`, "write a time, seconds since 1970 or a duration such as 24h");
  }
}

/** docker's words for a filter that is not known, or whose value is malformed. */
export function invalidFilter(subject: string, hint: string): GalleyError {
  return new GalleyError("invalid_argument", `invalid filter '${subject}'`, { hint });
}
