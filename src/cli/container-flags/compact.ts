/** The same fields, each of which may be undefined. */
export type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

/** The object without its undefined fields, which is what an optional field means. */
export function compact<T extends object>(value: Loose<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

/** Undefined for what counts as not given: empty text, list, map, zero and false. */
export function given<T>(value: T): T | undefined {
  if (Array.isArray(value)) return value.length > 0 ? value : undefined;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0 ? value : undefined;
  return value ? value : undefined;
}
