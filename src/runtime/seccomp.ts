import { GalleyError } from "../errors.ts";
import { nativeMachine } from "../linux/seccomp/architectures.ts";
import { filterKey } from "../linux/seccomp/filter-key.ts";
import { filterFlags, usesListener } from "../linux/seccomp/flags.ts";
import type { Machine } from "../linux/seccomp/numbers.ts";
import { readyProgram } from "../linux/seccomp/ready-programs.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { SeccompConfig } from "../spec/runtime.ts";
import { cachedProgram } from "./filter-cache.ts";

/**
 * Compiles linux.seccomp: one step that loads the filter, or none where there is no configuration.
 * @param cache directory of compiled programs; compiling takes some 10 ms in a process that has just begun
 */
export function compileSeccomp(config: SeccompConfig | undefined, cache: string | undefined): Step[] {
  if (config === undefined) return [];
  const native = nativeMachine();
  const ready = readyProgram(config, native);
  // Rules of a configuration whose program is ready are made when they are first read: they are not looked at.
  if (ready === undefined && usesListener(config)) {
    throw new GalleyError("unimplemented", "SCMP_ACT_NOTIFY needs an agent, which is not supported yet", {
      subject: "linux.seccomp.listenerPath",
    });
  }
  const program = ready ?? programOf(config, native, cache);
  return [step("seccomp", [filterFlags(config.flags, false), program], { cause: "linux.seccomp" })];
}

function programOf(config: SeccompConfig, native: Machine, cache: string | undefined): Uint8Array {
  const make = (): Uint8Array => compiler().compileFilter(config, native).program;
  return cache === undefined ? make() : cachedProgram(cache, filterKey(config, native), make);
}

/** With its tables of system calls, which are loaded for a program that is neither ready nor kept. */
function compiler(): typeof import("../linux/seccomp/compile.ts") {
  return require("../linux/seccomp/compile.ts");
}
