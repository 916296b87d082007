import { nativeMachine } from "../linux/seccomp/architectures.ts";
import { filterKey } from "../linux/seccomp/filter-key.ts";
import { filterFlags, usesListener } from "../linux/seccomp/flags.ts";
import type { Machine } from "../linux/seccomp/numbers.ts";
import { readyProgram } from "../linux/seccomp/ready-programs.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { SeccompConfig } from "../spec/runtime.ts";
import { cachedProgram } from "./filter-cache.ts";
import type { ToldState } from "./told-state.ts";

/** What becomes of linux.seccomp; nothing where there is no configuration. */
export interface SeccompSteps {
  /** Inside: loads the filter. */
  readonly filter: readonly Step[];
  /** Outside, while the inside loads it: hands the filter's listener to the agent, where the filter has one. */
  readonly listener: readonly Step[];
}

/**
 * Compiles linux.seccomp.
 * @param cache directory of compiled programs; compiling takes some 10 ms in a process that has just begun
 * @param told what an agent is told of the container
 */
export function compileSeccomp(
  config: SeccompConfig | undefined,
  cache: string | undefined,
  told: ToldState | undefined,
): SeccompSteps {
  if (config === undefined) return { filter: [], listener: [] };
  const native = nativeMachine();
  const ready = readyProgram(config, native);
  const flags = filterFlags(config.flags, false);
  // Rules of a configuration whose program is ready are made when they are first read: they are not looked at.
  const program = ready ?? programOf(config, native, cache);
  if (ready === undefined && usesListener(config)) return listeners().listening(config, flags, program, told);
  return { filter: [step("seccomp", [flags, program], { cause: "linux.seccomp" })], listener: [] };
}

function programOf(config: SeccompConfig, native: Machine, cache: string | undefined): Uint8Array {
  const make = (): Uint8Array => compiler().compileFilter(config, native).program;
  return cache === undefined ? make() : cachedProgram(cache, filterKey(config, native), make);
}

/** With its tables of system calls, which are loaded for a program that is neither ready nor kept. */
function compiler(): typeof import("../linux/seccomp/compile.ts") {
  return require("../linux/seccomp/compile.ts");
}

function listeners(): typeof import("./seccomp-listener.ts") {
  return require("./seccomp-listener.ts");
}
