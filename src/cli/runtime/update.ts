import { readFileSync } from "node:fs";
import { homeOf } from "../../runtime/oci/home.ts";
import type { NewSchemata } from "../../runtime/oci/resctrl.ts";
import { updateContainer } from "../../runtime/oci/update.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { resourcesShape } from "../../spec/validate/runtime-shape.ts";
import { parseShaped } from "../../spec/validate/validate.ts";
import type { FlagValues } from "../flags/flag.ts";
import { bytes, int, string } from "../flags/kinds.ts";
import { defineRuntimeCommand } from "./command.ts";

const flags = {
  resources: string({
    short: "r",
    usage: "Path to the file containing the resources to update or '-' to read from the standard input",
  }),
  "blkio-weight": int({ usage: "Specifies per cgroup weight, range is from 10 to 1000" }),
  "cpu-period": int({ usage: "CPU CFS period to be used for hardcapping (in usecs)" }),
  "cpu-quota": int({ usage: "CPU CFS hardcap limit (in usecs)" }),
  "cpu-burst": int({ usage: "CPU CFS hardcap burst limit (in usecs)" }),
  "cpu-share": int({ usage: "CPU shares (relative weight vs. other containers)" }),
  "cpu-rt-period": int({ usage: "CPU realtime period to be used for hardcapping (in usecs)" }),
  "cpu-rt-runtime": int({ usage: "CPU realtime hardcap limit (in usecs)" }),
  "cpuset-cpus": string({ usage: "CPU(s) to use" }),
  "cpuset-mems": string({ usage: "Memory node(s) to use" }),
  "cpu-idle": int({ usage: "Set cgroup SCHED_IDLE or not, 0: default behavior, 1: SCHED_IDLE" }),
  memory: bytes({ usage: "Memory limit (in bytes)", unlimited: true }),
  "memory-reservation": bytes({ usage: "Memory reservation or soft_limit (in bytes)", unlimited: true }),
  "memory-swap": bytes({
    usage: "Total memory usage (memory + swap); set '-1' to enable unlimited swap",
    unlimited: true,
  }),
  "pids-limit": int({ usage: "Maximum number of pids allowed in the container" }),
  "l3-cache-schema": string({ usage: "The string of Intel RDT/CAT L3 cache schema" }),
  "mem-bw-schema": string({ usage: "The string of Intel RDT/MBA memory bandwidth schema" }),
};

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id>",
  summary: "Update container resource constraints",
  flags,
  args: { least: 1, most: 1 },
  async run({ root, native, log, flags: given, args: [id = ""], changed }) {
    const resources = given.resources === "" ? fromFlags(given, changed) : fromFile(given.resources);
    await updateContainer(homeOf(root, id), { resources, schemata: schemataOf(given) }, { native: native(), log });
    return 0;
  },
});

/** They go with a file of resources too, which has no place for them. */
function schemataOf({
  "l3-cache-schema": l3,
  "mem-bw-schema": bandwidth,
}: FlagValues<typeof flags>): NewSchemata | undefined {
  if (l3 === "" && bandwidth === "") return undefined;
  return { ...(l3 === "" ? {} : { l3CacheSchema: l3 }), ...(bandwidth === "" ? {} : { memBwSchema: bandwidth }) };
}

function fromFile(path: string): ResourcesConfig {
  const text = readFileSync(path === "-" ? 0 : path, "utf8");
  return parseShaped(text, path, resourcesShape) as ResourcesConfig;
}

/** Only what was given. */
function fromFlags(given: FlagValues<typeof flags>, changed: ReadonlySet<string>): ResourcesConfig {
  const pick = (fields: Readonly<Record<string, keyof typeof flags>>) => {
    const entries = Object.entries(fields).filter(([, name]) => changed.has(name));
    return Object.fromEntries(entries.map(([field, name]) => [field, given[name]]));
  };
  const groups = {
    memory: pick({ limit: "memory", reservation: "memory-reservation", swap: "memory-swap" }),
    cpu: pick({
      shares: "cpu-share",
      quota: "cpu-quota",
      burst: "cpu-burst",
      period: "cpu-period",
      realtimeRuntime: "cpu-rt-runtime",
      realtimePeriod: "cpu-rt-period",
      cpus: "cpuset-cpus",
      mems: "cpuset-mems",
      idle: "cpu-idle",
    }),
    pids: pick({ limit: "pids-limit" }),
    blockIO: pick({ weight: "blkio-weight" }),
  };
  return Object.fromEntries(Object.entries(groups).filter(([, group]) => Object.keys(group).length > 0));
}
