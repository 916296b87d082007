import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { GalleyError } from "../../errors.ts";
import type { VolumeRow } from "./table.ts";
import type { VolumeFilters, VolumeRecord } from "./types.ts";
import type { Volumes } from "./volumes.ts";

/** Whether a volume passes one value of a filter. */
type Test = (row: VolumeRow, value: string, volumes: Volumes) => boolean;

const tests: Readonly<Record<string, Test>> = {
  name: (row, value) => matchesName(row.name, value),
  dangling: (row, value, volumes) => (volumes.inUse(row.name).length === 0) === truth(value),
  driver: (_, value) => value === "local",
  label: hasLabel,
  "label!": (row, value) => !hasLabel(row, value),
};

/** Keys of which every value must hold; of the others one is enough. */
const conjunctive = new Set(["label", "label!"]);

/** The volumes that pass all filters. An unknown key or a malformed value is `invalid_argument`. */
export function filterVolumes(volumes: Volumes, filters: VolumeFilters): readonly VolumeRow[] {
  const checks = Object.entries(filters).map(([key, values]) => {
    const test = Object.hasOwn(tests, key) ? tests[key] : undefined;
    if (test === undefined) throw invalidFilter(key, `known are ${Object.keys(tests).join(", ")}`);
    return (row: VolumeRow) =>
      conjunctive.has(key)
        ? values.every((value) => test(row, value, volumes))
        : values.some((value) => test(row, value, volumes));
  });
  return volumes.table.all().filter((row) => checks.every((check) => check(row)));
}

/**
 * The volumes to show. An anonymous one without a directory was removed by its container's shim, which has no database: its row
 * goes now.
 */
export function listVolumes(volumes: Volumes, filters: VolumeFilters): readonly VolumeRecord[] {
  forgetRemoved(volumes);
  return filterVolumes(volumes, filters).map((row) => volumes.record(row));
}

function forgetRemoved(volumes: Volumes): void {
  const isGone = (row: VolumeRow): boolean =>
    row.anonymous === 1 && !existsSync(dirname(volumes.mountpoint(row.name))) && volumes.inUse(row.name).length === 0;
  if (!volumes.table.all().some(isGone)) return;
  volumes.table.change(() => {
    for (const row of volumes.table.all()) if (isGone(row)) volumes.table.delete(row.name);
  });
}

function matchesName(name: string, pattern: string): boolean {
  if (name.includes(pattern)) return true;
  try {
    return new RegExp(pattern).test(name);
  } catch {
    return false;
  }
}

function truth(value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalidFilter(`dangling=${value}`, "write true or false");
}

function hasLabel(row: VolumeRow, value: string): boolean {
  const labels = JSON.parse(row.labels) as Record<string, string>;
  const at = value.indexOf("=");
  const key = at < 0 ? value : value.slice(0, at);
  return Object.hasOwn(labels, key) && (at < 0 || labels[key] === value.slice(at + 1));
}

function invalidFilter(subject: string, hint: string): GalleyError {
  return new GalleyError("invalid_argument", `invalid filter '${subject}'`, { hint });
}
