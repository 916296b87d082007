/** Changing the limits of a container in a unit: systemd is told, then the cgroup is written. */
import { type CgroupLayout, detectCgroups } from "../../../linux/cgroups/detect.ts";
import { placeOf, placesOf } from "../../../linux/cgroups/places.ts";
import { tryRead } from "../../../linux/cgroups/plan.ts";
import { planUpdate } from "../../../linux/cgroups/update.ts";
import { withoutIdleWeight } from "../../../linux/systemd/idle-weight.ts";
import { SystemdManager } from "../../../linux/systemd/manager.ts";
import { resourceProperties, roundedQuota, type Target } from "../../../linux/systemd/resource-properties.ts";
import type { ResourcesConfig } from "../../../spec/runtime.ts";
import { type UsedCgroup, writeLimits } from "../limits.ts";
import type { RuntimeLog } from "../log.ts";
import type { StoredUnit } from "../state.ts";

/** What the kernel would refuse is refused before systemd is told. */
export async function changeUnitLimits(
  unit: StoredUnit,
  cgroup: UsedCgroup,
  changes: ResourcesConfig,
  log: Pick<RuntimeLog, "warn">,
): Promise<void> {
  const { path } = cgroup;
  const layout = detectCgroups();
  using manager = await SystemdManager.open(unit.isUser);
  const target = targetOf(layout, await manager.version());
  const current = roundedQuota(withCurrent(changes, layout, path));
  const resources = withoutIdleWeight(current, target, (message) => log.warn(message));
  planUpdate({ layout, path, resources });
  const { devices, ...others } = resources;
  const told = unit.isUser || devices === undefined ? others : resources;
  await manager.setProperties(unit.name, resourceProperties(told, target));
  await writeLimits(cgroup, resources);
}

/**
 * The limits of a unit that has just been made and has all others, of which systemd wrote anew what it knows to the cgroup: a period
 * without a quota, for one, it cannot say. So all are written again.
 */
export async function completeUnitLimits(
  unit: StoredUnit,
  cgroup: UsedCgroup,
  changes: ResourcesConfig,
  { devices: _, ...all }: ResourcesConfig,
): Promise<void> {
  using manager = await SystemdManager.open(unit.isUser);
  const target = targetOf(detectCgroups(), await manager.version());
  await manager.setProperties(unit.name, resourceProperties(changes, target));
  await writeLimits(cgroup, all);
}

export function targetOf(layout: CgroupLayout, version: number): Target {
  return { cgroups: layout.mode === "v2" ? 2 : 1, version };
}

/** systemd has one property for what are two limits: the one that is not changed is filled in from the cgroup. */
function withCurrent(changes: ResourcesConfig, layout: CgroupLayout, path: string): ResourcesConfig {
  const { cpu, memory } = changes;
  const places = placesOf(layout, path);
  const read = (controller: string, file: string, v2 = file): string => {
    const v1 = placeOf(places, 1, controller);
    const directory = v1?.directory ?? placeOf(places, 2, "")?.directory ?? "";
    return tryRead(`${directory}/${v1 === undefined ? v2 : file}`)?.trim() ?? "";
  };
  const filled = { ...changes };
  if (cpu !== undefined && (cpu.quota === undefined) !== (cpu.period === undefined)) {
    const [quota, period] =
      layout.mode === "v2"
        ? read("cpu", "cpu.max").split(" ")
        : [read("cpu", "cpu.cfs_quota_us"), read("cpu", "cpu.cfs_period_us")];
    Object.assign(filled, { cpu: { quota: quota === "max" ? -1 : Number(quota), period: Number(period), ...cpu } });
  }
  if (layout.mode === "v2" && memory?.swap !== undefined && memory.limit === undefined) {
    const limit = read("memory", "memory.max");
    Object.assign(filled, { memory: { limit: limit === "max" ? -1 : Number(limit), ...memory } });
  }
  return filled;
}
