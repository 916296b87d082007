/**
 * An OCI seccomp configuration as a program for seccomp(2): classic BPF over struct seccomp_data.
 *
 * Decisions are those of runc with libseccomp: a call of an architecture that is not listed kills the thread; a number above all
 * that the configuration names is answered with ENOSYS, so that programs fall back as on an older kernel; x32 calls are a range of
 * x86-64's numbers. How a decision is reached is this program's own: see layout.ts.
 */
import { GalleyError } from "../../errors.ts";
import type { SeccompConfig } from "../../spec/runtime.ts";
import { errno } from "../errno.ts";
import { actionValue, isPermissive, seccompReturn } from "./actions.ts";
import { architectures, coveredMachines, nativeMachine } from "./architectures.ts";
import { filterFlags, usesListener } from "./flags.ts";
import { type Background, intervalsOf } from "./intervals.ts";
import { layOut, type Section } from "./layout.ts";
import { type Machine, X32_BIT } from "./numbers.ts";
import { readyProgram } from "./ready-programs.ts";
import { type MachineVerdicts, machineVerdicts, type Verdict } from "./verdicts.ts";

export interface CompiledFilter {
  /** struct sock_filter, 8 bytes each, little endian. */
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_*. */
  readonly flags: number;
  /** The call's result is a listener's descriptor, which goes to `listenerPath`. */
  readonly listener: boolean;
}

/** BPF_MAXINSNS: what the kernel takes. */
const MAX_INSTRUCTIONS = 4096;
const ENOSYS = (seccompReturn.ERRNO | errno.ENOSYS) >>> 0;

/**
 * Compiles a filter for the machine this runs on, or `native`. Throws `invalid_argument` that names the field for anything unknown
 * or contradictory, `out_of_range` for a configuration whose program is larger than the kernel takes.
 */
export function compileFilter(config: SeccompConfig, native: Machine = nativeMachine()): CompiledFilter {
  const ready = readyProgram(config, native);
  if (ready !== undefined) return { program: ready, flags: filterFlags(config.flags, false), listener: false };
  const listener = usesListener(config);
  return { program: compileProgram(config, native), flags: filterFlags(config.flags, listener), listener };
}

function compileProgram(config: SeccompConfig, native: Machine): Uint8Array {
  const field = "linux.seccomp.defaultAction";
  const defaultAction = actionValue(config.defaultAction, config.defaultErrnoRet, field);
  const machines = coveredMachines(config.architectures ?? [], native);
  const program = layOut(sectionsOf(config, machines, defaultAction), seccompReturn.KILL_THREAD);
  if (program.length > MAX_INSTRUCTIONS * 8) {
    throw new GalleyError("out_of_range", `the filter has ${program.length / 8} instructions, the kernel takes 4096`, {
      subject: "linux.seccomp.syscalls",
      hint: "use fewer conditions on arguments",
    });
  }
  return program;
}

function sectionsOf(config: SeccompConfig, machines: readonly Machine[], defaultAction: number): Section[] {
  const verdicts = new Map(
    machines.map((machine) => [machine, machineVerdicts(config, architectures[machine], defaultAction)] as const),
  );
  const sections: Section[] = [];
  for (const [machine, own] of verdicts) {
    if (machine === "x32") continue;
    const x32 = machine === "x86_64" ? verdicts.get("x32") : undefined;
    const background =
      machine === "x86_64" ? sharedBackground(own, x32, defaultAction) : plainBackground(own, defaultAction);
    const all: ReadonlyMap<number, Verdict> =
      x32 === undefined ? own.byNumber : new Map([...own.byNumber, ...x32.byNumber]);
    sections.push({ audit: architectures[machine].audit, intervals: intervalsOf(all, background), defaultAction });
  }
  return sections;
}

/**
 * What a call gets whose number is above all that the configuration names, or the default where it names none. As in runc, naming
 * call 0 alone is naming none.
 */
function beyond({ highest }: MachineVerdicts, defaultAction: number): number {
  return isPermissive(defaultAction) || highest <= 0 ? defaultAction : ENOSYS;
}

function plainBackground(own: MachineVerdicts, defaultAction: number): Background {
  return [
    { start: 0, verdict: defaultAction },
    { start: own.highest + 1, verdict: beyond(own, defaultAction) },
  ];
}

/**
 * x86-64 shares its numbers with x32, told apart by bit 30. Without x32 in the configuration that range kills, but for -1: a tracer
 * writes it to skip a call.
 */
function sharedBackground(own: MachineVerdicts, x32: MachineVerdicts | undefined, defaultAction: number): Background {
  const unknown = beyond(own, defaultAction);
  const kill = seccompReturn.KILL_THREAD;
  if (x32 !== undefined) {
    const unknownX32 = beyond(x32, defaultAction);
    return [
      ...plainBackground(own, defaultAction),
      { start: X32_BIT, verdict: defaultAction },
      { start: Math.max(x32.highest + 1, X32_BIT), verdict: unknownX32 },
      { start: X32_BIT * 2, verdict: unknown },
      { start: X32_BIT * 3, verdict: unknownX32 },
    ];
  }
  return [
    ...plainBackground(own, defaultAction),
    { start: X32_BIT, verdict: kill },
    { start: X32_BIT * 2, verdict: unknown === ENOSYS ? ENOSYS : kill },
    { start: X32_BIT * 3, verdict: kill },
    { start: 2 ** 32 - 1, verdict: defaultAction },
  ];
}
