/** Rules about scheduling: CPU, disk and memory nodes. */
import { isNumberList, numbersOf } from "../number-list.ts";
import type { ProcessConfig } from "../runtime.ts";
import { ioClasses, memoryFlags, memoryModes, schedulerFlags, schedulerPolicies } from "../scheduling-words.ts";
import { type Check, error, type Problem, when } from "./problem.ts";

const policies = Object.keys(schedulerPolicies);

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
      when(
        !Object.hasOwn(schedulerFlags, name),
        error(`${field}.flags[${index}]`, `unknown flag ${JSON.stringify(name)}`),
      ),
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

/** ioprio_set(2). */
export const ioPriority: Check = ({ process }) => {
  const value = process?.ioPriority;
  if (value === undefined) return [];
  const priority = value.priority ?? 0;
  return [
    ...when(
      !Object.hasOwn(ioClasses, value.class),
      error(
        "process.ioPriority.class",
        `unknown class ${JSON.stringify(value.class)}`,
        `use one of ${Object.keys(ioClasses).join(", ")}`,
      ),
    ),
    ...when(
      priority < 0 || priority > 7,
      error("process.ioPriority.priority", `must be between 0 and 7, is ${priority}`),
    ),
  ];
};

/** On which CPUs an added process begins and goes on. */
export const cpuAffinity: Check = ({ process }) =>
  (["initial", "final"] as const).flatMap((name) => {
    const value = process?.execCPUAffinity?.[name] ?? "";
    return when(
      value !== "" && !isNumberList(value),
      error(`process.execCPUAffinity.${name}`, `is not a list of CPUs: ${JSON.stringify(value)}`, "write it as 0-3,7"),
    );
  });

const nodelessModes = ["MPOL_DEFAULT", "MPOL_LOCAL"];

/** set_mempolicy(2): which modes need nodes, which have none. */
export const memoryPolicy: Check = ({ linux }) => {
  const value = linux?.memoryPolicy;
  if (value === undefined) return [];
  const { mode = "", nodes = "", flags = [] } = value;
  const count = nodes !== "" && isNumberList(nodes) ? numbersOf(nodes).length : 0;
  const field = "linux.memoryPolicy";
  return [
    ...when(
      !Object.hasOwn(memoryModes, mode),
      error(
        `${field}.mode`,
        `invalid memory policy mode ${JSON.stringify(mode)}`,
        `use one of ${Object.keys(memoryModes).join(", ")}`,
      ),
    ),
    ...when(
      nodes !== "" && !isNumberList(nodes),
      error(`${field}.nodes`, `invalid memory policy nodes ${JSON.stringify(nodes)}`, "write them as 0-3,7"),
    ),
    ...when(
      count > 0 && nodelessModes.includes(mode),
      error(`${field}.nodes`, `memory policy mode requires 0 nodes but got ${count}`),
    ),
    ...when(
      nodes === "" && Object.hasOwn(memoryModes, mode) && !nodelessModes.includes(mode) && mode !== "MPOL_PREFERRED",
      error(`${field}.nodes`, "memory policy mode requires at least one node but got 0"),
    ),
    ...flags.flatMap((name, index) =>
      when(
        !Object.hasOwn(memoryFlags, name),
        error(`${field}.flags[${index}]`, `invalid memory policy flag ${JSON.stringify(name)}`),
      ),
    ),
  ];
};

/** A class of service is a directory's name in resctrl; schemata are lines of its file. */
export const intelRdt: Check = ({ linux }) => {
  const value = linux?.intelRdt;
  if (value === undefined) return [];
  const id = value.closID ?? "";
  const isBad = id === "." || id === ".." || (id.length > 1 && id.includes("/"));
  const { schemata = [], l3CacheSchema = "", memBwSchema = "" } = value;
  return [
    ...when(isBad, error("linux.intelRdt.closID", `is not a name: ${JSON.stringify(id)}`)),
    ...when(l3CacheSchema.includes("\n"), error("linux.intelRdt.l3CacheSchema", "must be one line")),
    ...when(
      memBwSchema !== "" && !/^MB:[^\n]*$/.test(memBwSchema),
      error("linux.intelRdt.memBwSchema", "must be one line that begins with MB:"),
    ),
    ...schemata.flatMap((line, index) =>
      when(line.includes("\n"), error(`linux.intelRdt.schemata[${index}]`, "must be one line")),
    ),
  ];
};
