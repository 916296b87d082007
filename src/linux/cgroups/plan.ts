/**
 * A container's cgroup as data: what to make, to write, to join and to remove. Nothing is changed here; files of /proc and /sys
 * are read to see what is there already.
 *
 * This is the file-system driver. A driver that asks systemd for a scope gives the same {@link CgroupPlan}, with a request in the
 * place of the directories and the limits.
 */
import { readFileSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { deviceFilter } from "../bpf/device-filter.ts";
import { kernelRelease } from "../kernel-version.ts";
import type { CgroupLayout } from "./detect.ts";
import { containerDevicePolicy } from "./device-rules.ts";
import { newDeviceWrites } from "./device-steps.ts";
import { facilitiesOf } from "./facilities.ts";
import { joinOf } from "./join.ts";
import { type ControllerLimits, resourceLimits } from "./limits.ts";
import { type Place, placeOf, placesOf } from "./places.ts";
import { makeCpuset, makeDirectory, makeUnified, type TryRead } from "./prepare.ts";
import type { CgroupPlan, CgroupStep, DeviceFilter, FileWrite } from "./types.ts";

export interface CgroupRequest {
  readonly layout: CgroupLayout;
  /** `linux.cgroupsPath`: absolute below the hierarchies' top, or relative to this process's own cgroup. */
  readonly path: string;
  readonly resources?: ResourcesConfig;
  /** Leave devices alone: where the caller's user namespace may neither make nor filter them. */
  readonly skipDevices?: boolean;
  /** For tests: reads a file, undefined where there is none. */
  readonly read?: TryRead;
  /** For tests: the kernel's release. */
  readonly kernel?: string;
}

/** Reads a small file of /proc or /sys; undefined for any failure. */
export function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Plans the cgroup of a new container. Throws `failed_precondition` where the machine lacks what a limit or the device rules need,
 * `invalid_argument` for values that contradict each other.
 */
export function planCgroup(request: CgroupRequest): CgroupPlan {
  const { layout, resources = {}, read = tryRead, kernel = kernelRelease() } = request;
  const places = placesOf(layout, request.path);
  const limits = resourceLimits(resources, layout, () => () => undefined);
  const filter = request.skipDevices === true ? undefined : deviceProgram(request, places);
  return {
    prepare: preparation(request, places, limits, read),
    ...(filter === undefined ? {} : { deviceFilter: filter }),
    ...joinOf(places),
    directories: places.map(({ directory }) => directory),
    ...facilitiesOf(places, kernel),
  };
}

function preparation(
  { layout, resources = {}, skipDevices }: CgroupRequest,
  places: readonly Place[],
  limits: readonly ControllerLimits[],
  read: TryRead,
): CgroupStep[] {
  const steps: CgroupStep[] = [];
  const needed = neededFields(limits);
  const isHybrid = layout.mode === "hybrid";
  for (const place of places) {
    if (place.version === 1) steps.push(...makeLegacy(place, resources, read));
    else steps.push(...makeUnified(place.hierarchy, place.directory, needed, isHybrid, read));
  }
  for (const { version, controller, writes } of limits) {
    steps.push(...located(writes, placeOf(places, version, controller)));
  }
  if (skipDevices !== true) steps.push(...deviceWrites(resources, places));
  return steps;
}

function makeLegacy({ hierarchy, directory }: Place, resources: ResourcesConfig, read: TryRead): CgroupStep[] {
  if (hierarchy.controllers.includes("cpuset")) return makeCpuset(hierarchy, directory, resources, read);
  return [makeDirectory(directory)];
}

/** For each v2 controller that a limit needs, the first field that needs it. */
function neededFields(limits: readonly ControllerLimits[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const { version, controller, writes } of limits) {
    const field = writes[0]?.cause;
    if (version === 2 && field !== undefined && !fields.has(controller)) fields.set(controller, field);
  }
  return fields;
}

function located(writes: readonly FileWrite[], place: Place | undefined): CgroupStep[] {
  if (place === undefined) return [];
  return writes.map(({ file, ...write }) => ({ kind: "write", path: `${place.directory}/${file}`, ...write }));
}

function deviceWrites(resources: ResourcesConfig, places: readonly Place[]): CgroupStep[] {
  const place = placeOf(places, 1, "devices");
  return place === undefined ? [] : located(newDeviceWrites(containerDevicePolicy(resources.devices ?? [])), place);
}

/** The device program for a container that runs and gets other rules; undefined where v1 filters devices. Throws as {@link planCgroup}. */
export function planDeviceFilter(request: CgroupRequest): DeviceFilter | undefined {
  return deviceProgram(request, placesOf(request.layout, request.path));
}

/** Where no v1 hierarchy filters devices, an eBPF program on the v2 directory does. A container without either is not made. */
function deviceProgram({ resources = {} }: CgroupRequest, places: readonly Place[]): DeviceFilter | undefined {
  if (placeOf(places, 1, "devices") !== undefined) return undefined;
  const v2 = placeOf(places, 2, "");
  if (v2 === undefined) {
    throw new GalleyError("failed_precondition", "no cgroup hierarchy can keep the container from the host's devices", {
      subject: "linux.resources.devices",
      hint: "mount cgroup2 on /sys/fs/cgroup, or the v1 devices controller below it",
    });
  }
  const policy = containerDevicePolicy(resources.devices ?? []);
  return { directory: v2.directory, instructions: deviceFilter(policy), cause: "linux.resources.devices" };
}
