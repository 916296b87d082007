import { GalleyError } from "../../errors.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import type { Home } from "./home.ts";
import { writeLimits } from "./limits.ts";
import type { RuntimeLog } from "./log.ts";
import { statusOf, storedConfig, storedState } from "./state.ts";

/** Brings a container that runs to new limits; `resources` holds only what changes. Throws with the field that the kernel refused. */
export async function updateContainer(
  home: Home,
  resources: ResourcesConfig,
  { native, log }: { readonly native: string; readonly log: Pick<RuntimeLog, "warn"> },
): Promise<void> {
  const stored = storedState(home);
  if (statusOf(home, stored) === "stopped") {
    throw new GalleyError("failed_precondition", "container not running", { subject: home.id });
  }
  const cgroup = { path: storedConfig(home).linux?.cgroupsPath ?? "", native };
  if (stored.unit === undefined) return writeLimits(cgroup, resources);
  const { changeUnitLimits } = await import("./systemd/unit-limits.ts");
  await changeUnitLimits(stored.unit, cgroup, resources, log);
}
