/** A document as Go's templates see it: fields begin with a capital, `digest` is `.Digest`; annotations keep their keys. */
export function goNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(goNames);
  if (typeof value !== "object" || value === null) return value;
  const named = Object.entries(value).map(([key, inner]) => {
    const name = key === "urls" ? "URLs" : key.charAt(0).toUpperCase() + key.slice(1);
    return [name, key === "annotations" ? inner : goNames(inner)] as const;
  });
  return Object.fromEntries(named);
}
