/** Changing the limits of a container that runs. */
import { GalleyError } from "../../errors.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { containerDevicePolicy } from "./device-rules.ts";
import { changedDeviceWrites } from "./device-steps.ts";
import { resourceLimits } from "./limits.ts";
import { placeOf, placesOf } from "./places.ts";
import { type CgroupRequest, tryRead } from "./plan.ts";
import type { TryRead } from "./prepare.ts";
import type { CgroupWrite, FileWrite } from "./types.ts";

/**
 * The writes that bring a running container to `resources`, which holds only what changes. Current values are read, so that
 * limits which bound each other change in an order that the kernel takes. A device program of v2 is replaced
 * by {@link planDeviceFilter}'s.
 * Throws `failed_precondition` with `memory.checkBeforeUpdate` where the usage is above the new limit already.
 */
export function planUpdate(request: CgroupRequest): CgroupWrite[] {
  const { layout, resources = {}, read = tryRead } = request;
  const places = placesOf(layout, request.path);
  const readIn = (version: 1 | 2, controller: string) => {
    const directory = placeOf(places, version, controller)?.directory;
    return (file: string): string | undefined => read(`${directory}/${file}`);
  };
  const limits = resourceLimits(resources, layout, readIn);
  const devices = placeOf(places, 1, "devices")?.directory;
  checkUsage(resources, [placeOf(places, 1, "memory")?.directory, placeOf(places, 2, "")?.directory], read);
  return [
    ...limits.flatMap(({ version, controller, writes }) =>
      located(writes, placeOf(places, version, controller)?.directory),
    ),
    ...located(deviceChanges(resources, devices, read), devices),
  ];
}

function located(writes: readonly FileWrite[], directory: string | undefined): CgroupWrite[] {
  return writes.map(({ file, ...write }) => ({ path: `${directory}/${file}`, ...write }));
}

function deviceChanges(resources: ResourcesConfig, directory: string | undefined, read: TryRead): FileWrite[] {
  if (resources.devices === undefined || directory === undefined) return [];
  const policy = containerDevicePolicy(resources.devices);
  return changedDeviceWrites(read(`${directory}/devices.list`) ?? "", policy);
}

/** Usage that cannot be read is no reason to refuse: the check is a kindness, the kernel has the last word. */
function checkUsage(resources: ResourcesConfig, directories: readonly (string | undefined)[], read: TryRead): void {
  const { limit = 0, swap = 0, checkBeforeUpdate } = resources.memory ?? {};
  if (checkBeforeUpdate !== true) return;
  const [v1, v2] = directories;
  const usage = Number(read(`${v1}/memory.usage_in_bytes`) ?? read(`${v2}/memory.current`) ?? 0);
  if (swap > 0 && swap <= usage) throw notAbove("swap", "memory+swap", swap, usage);
  if (limit > 0 && limit <= usage) throw notAbove("limit", "memory", limit, usage);
}

function notAbove(field: string, what: string, limit: number, usage: number): GalleyError {
  return new GalleyError("failed_precondition", `rejecting ${what} limit ${limit} <= usage ${usage}`, {
    subject: `linux.resources.memory.${field}`,
    hint: "give a higher limit, or free memory in the container first",
  });
}
