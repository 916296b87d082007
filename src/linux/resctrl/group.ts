/** The group of resctrl that a container's processes are in (runtime-spec config-linux.md, "IntelRdt"). */
import { existsSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import type { IntelRdtConfig } from "../../spec/runtime.ts";
import { readResctrl } from "./files.ts";
import { findResctrl, hasResctrl, type ResctrlMount } from "./mount.ts";
import { difference } from "./schemata.ts";

/** What a process joins: absolute paths of directories that have a file `tasks`. */
export interface ResctrlPlace {
  /** The group that shares cache and bandwidth. */
  readonly group: string;
  /** The group below it that counts what the container uses. */
  readonly monitor?: string | undefined;
}

export interface ResctrlGroup extends ResctrlPlace {
  /** It is yet to be made. */
  readonly isNew: boolean;
  /** It is the container's alone, and goes with it. */
  readonly isOwn: boolean;
  /** What is to be written into its `schemata`, line by line, each with the field that it comes from. */
  readonly lines: readonly SchemataLine[];
}

export interface SchemataLine {
  readonly text: string;
  readonly cause: string;
}

const FIELD = "linux.intelRdt";

/** Directories of the file system that are no groups. */
const reserved = ["info", "mon_groups", "mon_data"];

/**
 * Where a container's processes belong, and what is to be done for it. Throws `failed_precondition` where the machine lacks what is
 * asked for, where a group is to be there that is not, and where one that is there has other schemata.
 * @param id of the container, which names the group where the configuration does not
 */
export function groupOf(config: IntelRdtConfig, id: string, mount = findResctrl()): ResctrlGroup {
  const { path, inMegabytes } = mounted(mount);
  const { closID = "", enableMonitoring } = config;
  if (reserved.includes(closID)) throw unusable("closID", "invalid_argument", `${closID} is no group of resctrl`);
  requireResources(config, path);
  const group = closID === "/" ? path : `${path}/${closID || id}`;
  const isNew = !existsSync(group);
  const lines = schemataLines(config);
  if (closID !== "" && isNew && lines.length === 0) throw missingGroup(group);
  const isShared = closID !== "" && !isNew;
  if (isShared && lines.length > 0) requireSame(group, lines, inMegabytes ? 1 : granularity(path));
  return {
    group,
    ...(enableMonitoring === true ? { monitor: `${group}/mon_groups/${id}` } : {}),
    isNew,
    isOwn: isNew && closID === "",
    lines: isShared ? [] : lines,
  };
}

function mounted(mount: ResctrlMount | undefined): ResctrlMount {
  if (mount !== undefined) return mount;
  throw new GalleyError("failed_precondition", "intelRdt is specified in config, but Intel RDT is not enabled", {
    subject: FIELD,
    hint: hasResctrl()
      ? "mount it: mount -t resctrl resctrl /sys/fs/resctrl"
      : "leave the field out: this kernel has no resctrl, or the processor has none of its features",
  });
}

/** In the words of runc. */
function requireResources({ l3CacheSchema = "", memBwSchema = "" }: IntelRdtConfig, path: string): void {
  if (l3CacheSchema !== "" && !existsSync(`${path}/info/L3`)) throw without("l3CacheSchema", "CAT");
  if (memBwSchema !== "" && !existsSync(`${path}/info/MB`)) throw without("memBwSchema", "MBA");
}

function without(name: string, feature: string): GalleyError {
  const why = `intelRdt.${name} is specified in config, but Intel RDT/${feature} is not enabled`;
  return unusable(
    name,
    "failed_precondition",
    why,
    "the processor lacks it, or rdt= on the kernel's command line switches it off",
  );
}

function unusable(
  name: string,
  code: "failed_precondition" | "invalid_argument",
  why: string,
  hint?: string,
): GalleyError {
  return new GalleyError(code, why, { subject: `${FIELD}.${name}`, ...(hint === undefined ? {} : { hint }) });
}

function schemataLines({ l3CacheSchema = "", memBwSchema = "", schemata = [] }: IntelRdtConfig): SchemataLine[] {
  const all = [
    { text: l3CacheSchema, cause: `${FIELD}.l3CacheSchema` },
    { text: memBwSchema, cause: `${FIELD}.memBwSchema` },
    ...schemata.map((text, index) => ({ text, cause: `${FIELD}.schemata[${index}]` })),
  ];
  return all.filter(({ text }) => text !== "");
}

function missingGroup(group: string): GalleyError {
  const why = "clos dir not accessible (must be pre-created when schemata, l3CacheSchema and memBwSchema are empty)";
  return unusable("closID", "failed_precondition", `${why}: stat ${group}: no such file or directory`);
}

function granularity(path: string): number {
  return Number(readResctrl(`${path}/info/MB/bandwidth_gran`) ?? 1) || 1;
}

/** Who shares a group must want the same of it. */
function requireSame(group: string, lines: readonly SchemataLine[], step: number): void {
  const there = readResctrl(`${group}/schemata`) ?? "";
  const other = difference(
    lines.map(({ text }) => text),
    there,
    { granularity: step },
  );
  if (other === undefined) return;
  const has = there.replace(/\s*\n\s*/g, " ");
  throw unusable(
    "closID",
    "failed_precondition",
    `${group} is there already with other schemata: it has ${has}, and not ${other}`,
    "ask for the same, or for nothing, or name another group",
  );
}
