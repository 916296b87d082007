import { GalleyError } from "../errors.ts";
import { type CompiledFilter, compileFilter } from "../linux/seccomp/compile.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { SeccompConfig } from "../spec/runtime.ts";

/** Compiles linux.seccomp: one step that loads the filter, or none where there is no configuration. */
export function compileSeccomp(config: SeccompConfig | undefined): Step[] {
  if (config === undefined) return [];
  const { program, flags, listener }: CompiledFilter = compileFilter(config);
  if (listener) {
    throw new GalleyError("unimplemented", "SCMP_ACT_NOTIFY needs an agent, which is not supported yet", {
      subject: "linux.seccomp.listenerPath",
    });
  }
  return [step("seccomp", [flags, program], { cause: "linux.seccomp" })];
}
