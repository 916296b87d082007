/** The start of a container in a unit of systemd's: the unit is there, with its limits, before the container's process is. */
import { statSync } from "node:fs";
import { GalleyError } from "../../../errors.ts";
import { detectCgroups } from "../../../linux/cgroups/detect.ts";
import { annotatedProperties } from "../../../linux/systemd/annotations.ts";
import { variant } from "../../../linux/systemd/dbus/types.ts";
import { withoutIdleWeight } from "../../../linux/systemd/idle-weight.ts";
import { type Property, SystemdManager } from "../../../linux/systemd/manager.ts";
import { resourceProperties, roundedQuota, type Target } from "../../../linux/systemd/resource-properties.ts";
import { oomPolicy } from "../../../linux/systemd/unified-properties.ts";
import { isSlice, slicePath, type UnitName, unitOf } from "../../../linux/systemd/unit.ts";
import type { Recipe } from "../../../recipe/recipe.ts";
import type { ResourcesConfig, RuntimeConfig } from "../../../spec/runtime.ts";
import type { RuntimeLog } from "../log.ts";
import type { Place } from "../placed-run.ts";
import { isHostRoot } from "../rootless.ts";
import type { StoredUnit } from "../state.ts";
import { startKeeper } from "./keeper.ts";
import { completeUnitLimits, targetOf } from "./unit-limits.ts";
import { endOfScope, startInScope } from "./unit-recipe.ts";

export interface StartedUnit {
  readonly stored: StoredUnit;
  /** With the unit's cgroup in the place of its name. */
  readonly config: RuntimeConfig;
  /** What the container is started with: without the limits that {@link StartedUnit.settle} sets. */
  readonly startConfig: RuntimeConfig;
  /** The recipe of the start, without what is systemd's to do. */
  start(recipe: Recipe): Recipe;
  /** The same of the end. */
  end(recipe: Recipe): Recipe;
  /** To be called once the container's process is in the unit. Throws `aborted` for a unit that was over before. */
  settle(): Promise<void>;
  /** To be called where there is no such process, with the reason; what is to be said of it is returned. */
  abandon(failure: unknown): Promise<unknown>;
}

/** Where a container's unit is, before it is made. */
export interface UnitPlace {
  readonly name: UnitName;
  readonly isUser: boolean;
  /** Its cgroup, as a `linux.cgroupsPath` of the file-system driver. */
  readonly path: string;
}

/** Asks the manager for nothing where it is the system's. Throws where no systemd runs, or for a name that is none. */
export async function placeOfUnit({ linux = {} }: RuntimeConfig, id: string): Promise<UnitPlace> {
  if (!isBooted()) {
    const message = "systemd not running on this host, cannot use systemd cgroups manager";
    throw new GalleyError("failed_precondition", message, { hint: "leave out --systemd-cgroup" });
  }
  // Anybody else has a manager of his own.
  const isUser = !isHostRoot();
  const name = unitOf(linux.cgroupsPath ?? "", id, isUser);
  const below = slicePath(isSlice(name.unit) ? name.unit : name.slice);
  const path = isSlice(name.unit) ? below : `${below === "/" ? "" : below}/${name.unit}`;
  if (!isUser) return { name, isUser, path };
  using manager = await SystemdManager.open(true);
  return { name, isUser, path: `${await manager.controlGroup()}${path}` };
}

/** As sd_booted(3) finds out. */
function isBooted(): boolean {
  return statSync("/run/systemd/system", { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * Starts the unit. A scope lives as long as a process is in it: until the container's own is, a copy of the native program that waits
 * for nothing is. It counts against a limit of processes, so that limit is set behind it.
 */
export async function startUnit(
  config: RuntimeConfig,
  place: UnitPlace,
  { native, log }: { readonly native: string; readonly log: Pick<RuntimeLog, "warn"> },
): Promise<StartedUnit> {
  const { name, isUser, path } = place;
  const own = annotatedProperties(config.annotations ?? {});
  using manager = await SystemdManager.open(isUser);
  const target = targetOf(detectCgroups(), await manager.version());
  const asked = roundedQuota(config.linux?.resources ?? {});
  const resources = withoutIdleWeight(asked, target, (message) => log.warn(message));
  const { now, later } = split(resources);
  const isScope = !isSlice(name.unit);
  const keeper = isScope ? startKeeper(native) : undefined;
  const pids = keeper === undefined ? [] : [keeper.pid];
  try {
    await manager.startUnit(name.unit, [
      ...unitProperties(name, pids, target),
      ...limits(now, isUser, target),
      ...oomPolicy(now.unified ?? {}, target),
      ...own,
    ]);
  } catch (failure) {
    await keeper?.end();
    throw failure;
  }
  const stored = { name: name.unit, isUser };
  const at = (with_: ResourcesConfig): RuntimeConfig => ({
    ...config,
    linux: { ...config.linux, cgroupsPath: path, resources: with_ },
  });
  return {
    stored,
    config: at(resources),
    startConfig: at(now),
    start: (recipe) => (isScope ? startInScope(recipe) : recipe),
    end: (recipe) => (isScope ? endOfScope(recipe) : recipe),
    async settle() {
      if (await keeper?.end()) throw unitOver(name.unit);
      if (Object.keys(later).length > 0) await completeUnitLimits(stored, { path, native }, later, resources);
    },
    async abandon(failure) {
      const wasOver = await keeper?.end();
      await stopUnit(stored).catch(() => {});
      return wasOver === true ? unitOver(name.unit, failure) : failure;
    },
  };
}

/**
 * How a process of ours gets into a unit of the user's own manager, where we may not put it: between a session's cgroup and that
 * manager's lie cgroups of root's (cgroup-v2.rst, "Delegation Containment"). Undefined where we are below that manager already, and
 * for the system's.
 */
export async function placeInUnit({ name, isUser }: StoredUnit): Promise<Place | undefined> {
  if (!isUser) return undefined;
  const { v2 } = detectCgroups();
  using manager = await SystemdManager.open(true);
  if (v2 === undefined || `${v2.self}/`.startsWith(`${await manager.controlGroup()}/`)) return undefined;
  return async (pid) => {
    using again = await SystemdManager.open(true);
    await again.attachProcesses(name, [pid]);
  };
}

function unitOver(unit: string, cause?: unknown): GalleyError {
  return new GalleyError("aborted", `unit ${unit} was stopped before the container was created in it`, {
    hint: `"journalctl -u ${unit}" says why; org.systemd.property.RuntimeMaxSec among the annotations may be too short`,
    cause,
  });
}

/** Stops a unit and makes systemd forget it; what is not there is no error. */
export async function stopUnit({ name, isUser }: StoredUnit): Promise<void> {
  using manager = await SystemdManager.open(isUser);
  await manager.stopUnit(name);
  await manager.resetFailed(name);
}

/** The limits of processes, and all others. */
function split(resources: ResourcesConfig): { readonly now: ResourcesConfig; readonly later: ResourcesConfig } {
  const { pids, unified, ...others } = resources;
  const { "pids.max": max, ...files } = unified ?? {};
  return {
    now: { ...others, ...(unified === undefined ? {} : { unified: files }) },
    later: {
      ...(pids?.limit === undefined ? {} : { pids }),
      ...(max === undefined ? {} : { unified: { "pids.max": max } }),
    },
  };
}

/** A user's manager may not filter devices. */
function limits(resources: ResourcesConfig, isUser: boolean, target: Target): Property[] {
  const { devices = [], ...others } = resources;
  return resourceProperties(isUser ? others : { ...others, devices }, target);
}

/** What is the same for every container. A unit that failed stays for whoever asks how, until the container is deleted. */
function unitProperties(name: UnitName, pids: number[], target: Target): Property[] {
  const yes = variant("b", true);
  const inSlice: Property[] = isSlice(name.unit)
    ? [["Wants", variant("as", [name.slice])]]
    : [
        ["Slice", variant("s", name.slice)],
        ["Delegate", yes],
        ["PIDs", variant("au", pids)],
      ];
  return [
    ["Description", variant("s", `container ${name.name}`)],
    ...inSlice,
    ["MemoryAccounting", yes],
    ["CPUAccounting", yes],
    [target.cgroups === 2 ? "IOAccounting" : "BlockIOAccounting", yes],
    ["TasksAccounting", yes],
    ["DefaultDependencies", variant("b", false)],
  ];
}
