/** The lines of a `schemata` file: `RESOURCE:DOMAIN=VALUE;DOMAIN=VALUE…` (resctrl.rst, "Schemata files - general concepts"). */

/** Values by `RESOURCE:DOMAIN`. Masks are hexadecimal without leading zeros, bandwidth is decimal. */
type Schemata = ReadonlyMap<string, string>;

/** What the kernel makes of a bandwidth: it is rounded up to a multiple of this. */
export interface BandwidthRule {
  readonly granularity: number;
}

const bandwidths = ["MB", "SMBA"];

/**
 * The first `RESOURCE:DOMAIN=VALUE` of `wanted` that a group's file has not; undefined where the group is as wanted. Lines are
 * compared by what they mean: neither the order of domains nor leading zeros count, and of two values for one domain the later holds.
 */
export function difference(wanted: readonly string[], file: string, rule: BandwidthRule): string | undefined {
  const there = parse(file.split("\n"), rule);
  for (const [key, value] of parse(wanted, rule)) {
    if (there.get(key) !== value) return `${key}=${value}`;
  }
  return undefined;
}

function parse(lines: readonly string[], rule: BandwidthRule): Schemata {
  const entries = lines.flatMap((line): [string, string][] => {
    const [resource = "", domains = ""] = line.split(":").map((part) => part.trim());
    return domains
      .split(";")
      .filter((domain) => domain.trim() !== "")
      .map((domain) => {
        const [id = "", value = ""] = domain.split("=").map((part) => part.trim());
        return [`${resource}:${Number(id)}`, canonical(resource, value, rule)];
      });
  });
  return new Map(entries);
}

function canonical(resource: string, value: string, { granularity }: BandwidthRule): string {
  if (!bandwidths.includes(resource)) return value.toLowerCase().replace(/^(0x)?0*(?=.)/, "");
  return resource === "MB" ? String(Math.ceil(Number(value) / granularity) * granularity) : String(Number(value));
}
