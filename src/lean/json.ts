/** In the place of ../spec/validate/json.ts, for an engine whose parser knows neither the digits of a number nor a limit of depth. */
import { handOver } from "./hand-over.ts";

/** What is nested deeper is nobody's configuration, and the parser would run out of stack. */
const DEEPEST = 512;

/** A rule of seccomp with a number that a double may not hold. */
const LARGE = /"value(?:Two)?"\s*:\s*\d{16}/;

export function readJson(text: string): unknown {
  if (system.nesting(text) > DEEPEST) throw new SyntaxError(`it is nested deeper than ${DEEPEST}`);
  if (LARGE.test(text)) handOver("read");
  const value: unknown = JSON.parse(text);
  return text.includes("null") ? withoutNulls(value) : value;
}

/** A list keeps its places. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}
