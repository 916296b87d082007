/** How the kernel runs the process: CPU and disk scheduling, memory nodes, personality. Loaded where a configuration asks for it. */
import { GalleyError } from "../errors.ts";
import { type Step, step } from "../recipe/recipe.ts";
import { numberMask } from "../spec/number-list.ts";
import type { LinuxConfig, ProcessConfig } from "../spec/runtime.ts";
import { ioClasses, memoryFlags, memoryModes, schedulerFlags, schedulerPolicies } from "../spec/scheduling-words.ts";

const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_CLASS_SHIFT = 13;

/** personality(2): PER_LINUX and PER_LINUX32. */
const personalities: Readonly<Record<string, number>> = { LINUX: 0, LINUX32: 8 };

/** Inside, while still privileged, and before a filter that may forbid it: the kernel keeps all of this over an exec. */
export function compileScheduling(process: ProcessConfig, linux: LinuxConfig): Step[] {
  return [
    ...scheduler(process.scheduler, (linux.resources?.cpu?.cpus ?? "") !== ""),
    ...ioPriority(process.ioPriority),
    ...personality(linux.personality),
    ...memoryPolicy(linux.memoryPolicy),
  ];
}

/** Says so where the cgroup's CPUs are few: a deadline needs the whole machine (sched_setattr(2), EPERM). */
function scheduler(value: ProcessConfig["scheduler"], limited: boolean): Step[] {
  if (value === undefined) return [];
  const { policy, flags = [], nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = value;
  const attr = new DataView(new ArrayBuffer(56));
  attr.setUint32(0, attr.byteLength, true);
  attr.setUint32(4, numberOf(schedulerPolicies, policy, "process.scheduler.policy"), true);
  attr.setBigUint64(8, BigInt(bitsOf(schedulerFlags, flags, "process.scheduler.flags")), true);
  attr.setInt32(16, nice, true);
  attr.setUint32(20, priority, true);
  for (const [index, time] of [runtime, deadline, period].entries()) {
    attr.setBigUint64(24 + 8 * index, BigInt(time), true);
  }
  const cause = `process.scheduler${limited ? " with linux.resources.cpu.cpus" : ""}`;
  return [step("sched_setattr", [0, new Uint8Array(attr.buffer), 0], { cause })];
}

function ioPriority(value: ProcessConfig["ioPriority"]): Step[] {
  if (value === undefined) return [];
  const number = numberOf(ioClasses, value.class, "process.ioPriority.class");
  const priority = (number << IOPRIO_CLASS_SHIFT) | (value.priority ?? 0);
  return [step("ioprio_set", [IOPRIO_WHO_PROCESS, 0, priority], { cause: "process.ioPriority" })];
}

function personality(value: LinuxConfig["personality"]): Step[] {
  if (value === undefined) return [];
  const persona = numberOf(personalities, value.domain, "linux.personality.domain");
  return [step("personality", [persona], { cause: "linux.personality" })];
}

/** The kernel takes one from the number of bits that it is told. */
function memoryPolicy(value: LinuxConfig["memoryPolicy"]): Step[] {
  if (value === undefined) return [];
  const cause = "linux.memoryPolicy";
  const mode = numberOf(memoryModes, value.mode ?? "", `${cause}.mode`);
  const bits = bitsOf(memoryFlags, value.flags ?? [], `${cause}.flags`);
  const nodes = numberMask(value.nodes ?? "");
  const most = nodes.length === 0 ? 0 : nodes.length * 8 + 1;
  return [step("set_mempolicy", [mode | bits, nodes, most], { cause })];
}

function numberOf(words: Readonly<Record<string, number>>, word: string, subject: string): number {
  const number = Object.hasOwn(words, word) ? words[word] : undefined;
  if (number !== undefined) return number;
  throw new GalleyError("invalid_argument", `unknown value ${JSON.stringify(word)}`, { subject });
}

function bitsOf(words: Readonly<Record<string, number>>, chosen: readonly string[], subject: string): number {
  return chosen.reduce((sum, word) => sum | numberOf(words, word, subject), 0);
}
