import { Refusal } from "./refusal.ts";

/** One page of a list, and the address of the next one for a `Link` header (RFC 8288). */
export interface Page<T> {
  readonly items: readonly T[];
  readonly link: string | undefined;
}

/**
 * The page that `n` (how many) and `last` (the name behind which it begins, itself left out) ask for.
 * @param all in the order of their names
 * @param most items of a page without `n`
 */
export function pageOf<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  { path, query, most }: { readonly path: string; readonly query: URLSearchParams; readonly most: number },
): Page<T> {
  const limit = Math.min(limitOf(query.get("n")) ?? most, most);
  const last = query.get("last");
  const start = last === null ? 0 : firstBehind(all, nameOf, last);
  const items = all.slice(start, start + limit);
  const final = items.at(-1);
  if (final === undefined || start + limit >= all.length) return { items, link: undefined };
  const next = new URLSearchParams(query);
  next.set("n", String(limit));
  next.set("last", nameOf(final));
  return { items, link: `<${path}?${next}>; rel="next"` };
}

function limitOf(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Refusal("UNSUPPORTED", "n must be a whole number", { status: 400, detail: { n: text.slice(0, 64) } });
}

/** By halves: the list may be long. */
function firstBehind<T>(all: readonly T[], nameOf: (item: T) => string, last: string): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = all[middle];
    if (item !== undefined && nameOf(item) <= last) low = middle + 1;
    else high = middle;
  }
  return low;
}
