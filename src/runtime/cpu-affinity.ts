/** On which CPUs a process may run: never on those of its caller only, which are none of the configuration's. */
import { errno } from "../linux/errno.ts";
import { type Step, step } from "../recipe/recipe.ts";
import { numberMask } from "../spec/number-list.ts";
import type { ProcessConfig } from "../spec/runtime.ts";

/** As many as the kernel can be built for; it cuts the mask to those that there are, and to those of the cgroup. */
const MOST_CPUS = 8192;

/**
 * Inside, once the process is in its cgroup: all CPUs that the cgroup has. A sandbox that denies the call leaves the process on the
 * caller's.
 */
export function resetAffinity(): Step[] {
  const all = new Uint8Array(MOST_CPUS / 8).fill(0xff);
  const tolerate = [errno.EPERM, errno.ENOSYS, errno.EINVAL];
  return [step("sched_setaffinity", [0, all], { cause: "the CPUs of the cgroup", tolerate })];
}

type Affinity = NonNullable<ProcessConfig["execCPUAffinity"]>;

/** Outside, before the process of an exec is born with it. */
export function initialAffinity({ initial = "" }: Affinity = {}): Step[] {
  return initial === "" ? [] : [affinity(initial, "initial")];
}

/** Inside, once the process of an exec is in its cgroup. */
export function finalAffinity({ initial = "", final = "" }: Affinity = {}): Step[] {
  if (final !== "") return [affinity(final, "final")];
  return initial === "" ? resetAffinity() : [];
}

function affinity(list: string, name: keyof Affinity): Step {
  return step("sched_setaffinity", [0, numberMask(list)], { cause: `process.execCPUAffinity.${name}` });
}
