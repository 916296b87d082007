/** Rules about scheduling: CPU, disk and memory nodes. */
import type { ProcessConfig } from "../runtime.ts";
import { type Check, error, type Problem, when } from "./problem.ts";

const policies = ["OTHER", "FIFO", "RR", "BATCH", "ISO", "IDLE", "DEADLINE"].map((name) => `SCHED_${name}`);
const schedulerFlags = [
  "RESET_ON_FORK",
  "RECLAIM",
  "DL_OVERRUN",
  "KEEP_POLICY",
  "KEEP_PARAMS",
  "UTIL_CLAMP_MIN",
  "UTIL_CLAMP_MAX",
].map((name) => `SCHED_FLAG_${name}`);

/** sched_setattr(2): which parameter goes with which policy. */
export const scheduler: Check = ({ process }) => {
  const value = process?.scheduler;
  if (value === undefined) return [];
  const field = "process.scheduler";
  return [
    ...when(
      !policies.includes(value.policy),
      error(`${field}.policy`, `unknown policy ${JSON.stringify(value.policy)}`, `use one of ${policies.join(", ")}`),
    ),
    ...(value.flags ?? []).flatMap((name, index) =>
      when(!schedulerFlags.includes(name), error(`${field}.flags[${index}]`, `unknown flag ${JSON.stringify(name)}`)),
    ),
    ...schedulerParameters(value, field),
  ];
};

function schedulerParameters(value: NonNullable<ProcessConfig["scheduler"]>, field: string): readonly Problem[] {
  const { policy, nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = value;
  const isRealtime = policy === "SCHED_FIFO" || policy === "SCHED_RR";
  const hasDeadline = runtime !== 0 || deadline !== 0 || period !== 0;
  return [
    ...when(nice < -20 || nice > 19, error(`${field}.nice`, `must be between -20 and 19, is ${nice}`)),
    ...when(priority !== 0 && !isRealtime, error(`${field}.priority`, "goes with SCHED_FIFO and SCHED_RR only")),
    ...when(
      isRealtime && (priority < 0 || priority > 99),
      error(`${field}.priority`, `must be between 1 and 99, is ${priority}`),
    ),
    ...when(
      hasDeadline && policy !== "SCHED_DEADLINE",
      error(field, "runtime, deadline and period go with SCHED_DEADLINE only"),
    ),
  ];
}

const ioClasses = ["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"];

/** ioprio_set(2). */
export const ioPriority: Check = ({ process }) => {
  const value = process?.ioPriority;
  if (value === undefined) return [];
  const priority = value.priority ?? 0;
  return [
    ...when(
      !ioClasses.includes(value.class),
      error(
        "process.ioPriority.class",
        `unknown class ${JSON.stringify(value.class)}`,
        `use one of ${ioClasses.join(", ")}`,
      ),
    ),
    ...when(
      priority < 0 || priority > 7,
      error("process.ioPriority.priority", `must be between 0 and 7, is ${priority}`),
    ),
  ];
};

/** Whether a text is a list of numbers and ranges, as the kernel takes CPUs and memory nodes: `0-3,7`. */
export function isNumberList(text: string): boolean {
  return text.split(",").every((part) => {
    const match = /^\s*([0-9]{1,5})(?:-([0-9]{1,5})(?::[0-9]+\/[0-9]+)?)?\s*$/.exec(part);
    return match !== null && (match[2] === undefined || Number(match[1]) <= Number(match[2]));
  });
}

/** On which CPUs an added process begins and goes on. */
export const cpuAffinity: Check = ({ process }) =>
  (["initial", "final"] as const).flatMap((name) => {
    const value = process?.execCPUAffinity?.[name] ?? "";
    return when(
      value !== "" && !isNumberList(value),
      error(`process.execCPUAffinity.${name}`, `is not a list of CPUs: ${JSON.stringify(value)}`, "write it as 0-3,7"),
    );
  });

const memoryModes = ["BIND", "INTERLEAVE", "PREFERRED_MANY", "WEIGHTED_INTERLEAVE"].map((name) => `MPOL_${name}`);
const nodelessModes = ["MPOL_DEFAULT", "MPOL_LOCAL"];
const memoryFlags = ["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"];

/** set_mempolicy(2): which modes need nodes, which have none. */
export const memoryPolicy: Check = ({ linux }) => {
  const value = linux?.memoryPolicy;
  if (value === undefined) return [];
  const { mode, nodes = "", flags = [] } = value;
  const field = "linux.memoryPolicy";
  const known = [...memoryModes, ...nodelessModes, "MPOL_PREFERRED"];
  return [
    ...when(
      !known.includes(mode),
      error(`${field}.mode`, `unknown mode ${JSON.stringify(mode)}`, `use one of ${known.join(", ")}`),
    ),
    ...when(
      nodes !== "" && !isNumberList(nodes),
      error(`${field}.nodes`, `is not a list of nodes: ${JSON.stringify(nodes)}`),
    ),
    ...when(nodes !== "" && nodelessModes.includes(mode), error(`${field}.nodes`, `${mode} takes no nodes`)),
    ...when(nodes === "" && memoryModes.includes(mode), error(`${field}.nodes`, `${mode} needs at least one node`)),
    ...flags.flatMap((name, index) =>
      when(!memoryFlags.includes(name), error(`${field}.flags[${index}]`, `unknown flag ${JSON.stringify(name)}`)),
    ),
  ];
};

/** A class of service is a directory's name in resctrl; schemata are lines of its file. */
export const intelRdt: Check = ({ linux }) => {
  const value = linux?.intelRdt;
  if (value === undefined) return [];
  const id = value.closID ?? "";
  const isBad = id === "." || id === ".." || (id.length > 1 && id.includes("/"));
  const schemata = value.schemata ?? [];
  return [
    ...when(isBad, error("linux.intelRdt.closID", `is not a name: ${JSON.stringify(id)}`)),
    ...schemata.flatMap((line, index) =>
      when(line.includes("\n"), error(`linux.intelRdt.schemata[${index}]`, "must be one line")),
    ),
  ];
};
