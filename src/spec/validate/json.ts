type Source = { readonly source?: string };

/** The value of a JSON text, as Go's decoder would fill a structure with it: null is "not given". Throws what is wrong with it. */
export function readJson(text: string): unknown {
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/** Undefined removes a property. Numbers that a double cannot hold stay whole where a rule of seccomp compares with them. */
function reviver(this: unknown, key: string, value: unknown, { source = "" }: Source): unknown {
  if (value === null) return undefined;
  const isLarge = typeof value === "number" && !Number.isSafeInteger(value);
  const isCompared = key === "value" || key === "valueTwo";
  return isLarge && isCompared && /^[0-9]+$/.test(source) ? BigInt(source) : value;
}
