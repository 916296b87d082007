/**
 * Whether a tag is a version within a range: `>= 3.12.0`, `~1.2`, `^2`, `1.x`, `>1 <3 || 5`; parts that a tag leaves out are 0, and a
 * `v` before it counts for nothing. A tag that is no version fits no range.
 */
export function versionRange(range: string): (tag: string) => boolean {
  const spaced = range
    .replace(/([<>=~^!]+)\s+/g, "$1")
    .replace(/,/g, " ")
    .replace(/=>/g, ">=")
    .replace(/=</g, "<=");
  const excluded = [...spaced.matchAll(/!=(\S+)/g)].map((match) => match[1] ?? "");
  const wanted = spaced.replace(/!=\S+/g, " ").trim() || "*";
  return (tag) => {
    const version = complete(tag);
    if (version === undefined) return false;
    return Bun.semver.satisfies(version, wanted) && !excluded.some((one) => Bun.semver.satisfies(version, one));
  };
}

function complete(tag: string): string | undefined {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.exec(tag);
  if (match === null) return undefined;
  return `${match[1]}.${match[2] ?? 0}.${match[3] ?? 0}${match[4] ?? ""}${match[5] ?? ""}`;
}
