/** What resctrl says of a container's groups, in the shape of runc's `events` (`intel_rdt`). */
import { readdirSync } from "node:fs";
import { readResctrl } from "./files.ts";
import type { ResctrlPlace } from "./group.ts";
import { findResctrl } from "./mount.ts";

export interface ResctrlStats {
  readonly l3_cache_info?: {
    readonly cbm_mask?: string;
    readonly min_cbm_bits?: number;
    readonly num_closids?: number;
  };
  readonly l3_cache_schema_root?: string;
  readonly l3_cache_schema?: string;
  readonly mem_bw_info?: Readonly<Partial<Record<(typeof bandwidthFacts)[number], number>>>;
  readonly mem_bw_schema_root?: string;
  readonly mem_bw_schema?: string;
  readonly schemata?: readonly string[];
  /** One for each domain. Bytes since the group was made. */
  readonly mbm_stats?: readonly { readonly mbm_total_bytes: bigint; readonly mbm_local_bytes: bigint }[];
  /** Bytes of cache that are in use now. */
  readonly cmt_stats?: readonly { readonly llc_occupancy: bigint }[];
}

const bandwidthFacts = ["bandwidth_gran", "delay_linear", "min_bandwidth", "num_closids"] as const;

/** Reads everything that the machine has; what it lacks is left out. */
export function resctrlStats({ group, monitor = group }: ResctrlPlace): ResctrlStats {
  const root = findResctrl()?.path;
  if (root === undefined) return {};
  const schemata = linesOf(group);
  const above = linesOf(root);
  return {
    ...cache(`${root}/info/L3`, above, schemata),
    ...bandwidth(`${root}/info/MB`, above, schemata),
    ...(schemata.length === 0 ? {} : { schemata }),
    ...monitored(monitor, (readResctrl(`${root}/info/L3_MON/mon_features`) ?? "").split("\n")),
  };
}

function linesOf(group: string): string[] {
  const text = readResctrl(`${group}/schemata`) ?? "";
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}

function cache(info: string, above: readonly string[], own: readonly string[]): ResctrlStats {
  const mask = readResctrl(`${info}/cbm_mask`);
  if (mask === undefined) return {};
  const facts = { cbm_mask: mask, ...numbers(info, ["min_cbm_bits", "num_closids"]) };
  return {
    l3_cache_info: facts,
    ...schema("l3_cache_schema_root", above, "L3"),
    ...schema("l3_cache_schema", own, "L3"),
  };
}

function bandwidth(info: string, above: readonly string[], own: readonly string[]): ResctrlStats {
  const facts = numbers(info, bandwidthFacts);
  if (Object.keys(facts).length === 0) return {};
  return { mem_bw_info: facts, ...schema("mem_bw_schema_root", above, "MB"), ...schema("mem_bw_schema", own, "MB") };
}

/** The last line that names the resource, as runc has it: with code and data apart there are two. */
function schema(field: keyof ResctrlStats, lines: readonly string[], resource: string): ResctrlStats {
  const line = lines.findLast((one) => one.includes(resource));
  return line === undefined ? {} : { [field]: line };
}

/** Zeros are left out, as by runc. */
function numbers<Name extends string>(directory: string, names: readonly Name[]): Partial<Record<Name, number>> {
  const all = names.map((name) => [name, Number(readResctrl(`${directory}/${name}`) ?? 0)] as const);
  return Object.fromEntries(all.filter(([, value]) => value > 0)) as Partial<Record<Name, number>>;
}

function monitored(group: string, features: readonly string[]): ResctrlStats {
  const counts = (name: string) => features.includes(name);
  const domains = domainsOf(`${group}/mon_data`);
  const count = (domain: string, name: string) => (counts(name) ? counter(`${domain}/${name}`) : 0n);
  const mbm = domains.map((domain) => ({
    mbm_total_bytes: count(domain, "mbm_total_bytes"),
    mbm_local_bytes: count(domain, "mbm_local_bytes"),
  }));
  return {
    ...(counts("mbm_total_bytes") || counts("mbm_local_bytes") ? { mbm_stats: mbm } : {}),
    ...(counts("llc_occupancy")
      ? { cmt_stats: domains.map((domain) => ({ llc_occupancy: counter(`${domain}/llc_occupancy`) })) }
      : {}),
  };
}

function domainsOf(directory: string): string[] {
  try {
    return readdirSync(directory)
      .toSorted()
      .map((name) => `${directory}/${name}`);
  } catch {
    return [];
  }
}

/** The hardware may have none to say at the moment: `Unavailable`, or `Error`. */
function counter(path: string): bigint {
  const text = readResctrl(path) ?? "";
  return /^[0-9]+$/.test(text) ? BigInt(text) : 0n;
}
