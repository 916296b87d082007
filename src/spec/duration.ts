/** How people write lengths of time, in Go's notation. */
const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds from Go's notation of durations: `300ms`, `-1.5h`, `2h45m`, `0`. */
export function parseDuration(text: string): number {
  const match = /^([+-]?)((?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (match === null) throw new Error(`invalid duration "${text}": it takes a number with a unit, as in 90s or 1m30s`);
  let total = 0;
  for (const part of (match[2] ?? "").matchAll(/([0-9.]+)([^0-9.]+)/g)) {
    total += Number(part[1]) * (nanoseconds[part[2] ?? ""] ?? 0);
  }
  return match[1] === "-" ? -total : total;
}
