/** Other schemata for a container that runs. */
import { existsSync, writeFileSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { readResctrl } from "../../linux/resctrl/files.ts";
import type { ResctrlPlace } from "../../linux/resctrl/group.ts";
import { findResctrl } from "../../linux/resctrl/mount.ts";
import { resctrlRefusal } from "./resctrl-refusal.ts";

/** New lines of a group's schemata; what is absent stays. */
export interface NewSchemata {
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
}

const resources = [
  { field: "l3CacheSchema", info: "L3", lacking: "Intel RDT/CAT: l3 cache schema is not enabled" },
  { field: "memBwSchema", info: "MB", lacking: "Intel RDT/MBA: memory bandwidth schema is not enabled" },
] as const;

/**
 * Writes new schemata to a container's group; returns what writes the old ones back. Throws in runc's words where the machine or the
 * container has nothing of the kind, and with what the kernel said where it refuses.
 */
export function changeSchemata(place: ResctrlPlace | undefined, changes: NewSchemata): () => void {
  const root = findResctrl()?.path;
  const given = resources.filter(({ field }) => changes[field] !== undefined);
  for (const { info, lacking } of given) {
    if (root === undefined || !existsSync(`${root}/info/${info}`))
      throw new GalleyError("failed_precondition", lacking);
  }
  if (place === undefined) {
    throw new GalleyError("failed_precondition", "updating a non-existent Intel RDT configuration is not supported", {
      hint: "only a container that was made with linux.intelRdt has a group of resctrl",
    });
  }
  const path = `${place.group}/schemata`;
  const before = readResctrl(path);
  const restore = () => {
    if (before !== undefined) writeFileSync(path, `${before}\n`, { flag: "r+" });
  };
  try {
    for (const { field } of given) writeSchema(path, `${changes[field]}\n`, `linux.intelRdt.${field}`);
  } catch (failure) {
    restore();
    throw failure;
  }
  return restore;
}

function writeSchema(path: string, line: string, subject: string): void {
  try {
    writeFileSync(path, line, { flag: "r+" });
  } catch (failure) {
    const { errno = 0 } = failure as { readonly errno?: number };
    const refused = { op: "write_file", path, text: line, errno: -errno } as const;
    throw new GalleyError("failed_precondition", resctrlRefusal(refused), { subject });
  }
}
