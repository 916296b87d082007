import { GalleyError } from "../../errors.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import type { Home } from "./home.ts";
import { writeLimits } from "./limits.ts";
import type { RuntimeLog } from "./log.ts";
import type { NewSchemata } from "./resctrl.ts";
import { type StoredState, statusOf, storedConfig, storedState } from "./state.ts";

/** What changes, and nothing else. */
export interface Changes {
  readonly resources: ResourcesConfig;
  readonly schemata?: NewSchemata | undefined;
}

export interface UpdateOptions {
  readonly native: string;
  readonly log: Pick<RuntimeLog, "warn">;
}

/** Brings a container that runs to new limits. Throws with the field that the kernel refused. */
export async function updateContainer(home: Home, changes: Changes, options: UpdateOptions): Promise<void> {
  const stored = storedState(home);
  if (statusOf(home, stored) === "stopped") {
    throw new GalleyError("failed_precondition", "container not running", { subject: home.id });
  }
  const { resources, schemata } = changes;
  if (schemata === undefined) return changeLimits(home, stored, resources, options);
  const { changeSchemata } = await import("./resctrl.ts");
  const undo = changeSchemata(stored.resctrl, schemata);
  try {
    await changeLimits(home, stored, resources, options);
  } catch (failure) {
    undo();
    throw failure;
  }
}

async function changeLimits(
  home: Home,
  stored: StoredState,
  resources: ResourcesConfig,
  { native, log }: UpdateOptions,
): Promise<void> {
  const cgroup = { path: storedConfig(home).linux?.cgroupsPath ?? "", native };
  if (stored.unit === undefined) return writeLimits(cgroup, resources);
  const { changeUnitLimits } = await import("./systemd/unit-limits.ts");
  await changeUnitLimits(stored.unit, cgroup, resources, log);
}
