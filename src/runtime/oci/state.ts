/** The state of a container (runtime-spec runtime.md, "State"), from its files and its process. */
import { closeSync, constants, openSync, readdirSync, readFileSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { type CgroupLayout, detectCgroups } from "../../linux/cgroups/detect.ts";
import { planCgroup } from "../../linux/cgroups/plan.ts";
import { isAlive } from "../../linux/processes.ts";
import type { ResctrlPlace } from "../../linux/resctrl/group.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import { writeFileAtomic } from "../../state/atomic-file.ts";
import { NO_CGROUP } from "../no-cgroup.ts";
import { type Home, homeOf } from "./home.ts";

export type Status = "creating" | "created" | "running" | "paused" | "stopped";

/** The unit of systemd's that a container is in. */
export interface StoredUnit {
  readonly name: string;
  /** Whether it is the user's own manager that has it. */
  readonly isUser: boolean;
}

/** What does not change after the creation. */
export interface StoredState {
  readonly ociVersion: string;
  readonly id: string;
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339. */
  readonly created: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: string;
  readonly pid: number;
  /** The process's start time, which tells it from a later one of its number. */
  readonly startTime: string;
  /** Absent where the container's cgroup is made without systemd. */
  readonly unit?: StoredUnit;
  /** Absent where the configuration has no `linux.intelRdt`. */
  readonly resctrl?: ResctrlPlace;
}

/** As `state` prints it: runc's fields in runc's order. */
export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: Status;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

/** What a container was made as. Throws `not_found` in runc's words. */
export function storedState(home: Home): StoredState {
  try {
    return JSON.parse(readFileSync(home.state, "utf8")) as StoredState;
  } catch (failure) {
    if ((failure as { code?: unknown }).code !== "ENOENT") throw toGalleyError(failure, { subject: home.state });
    throw new GalleyError("not_found", "container does not exist", { subject: home.id });
  }
}

export function storeState(home: Home, state: StoredState): void {
  writeFileAtomic(home.state, JSON.stringify(state));
}

/** The configuration that the container was made from. */
export function storedConfig(home: Home): RuntimeConfig {
  return JSON.parse(readFileSync(home.config, "utf8")) as RuntimeConfig;
}

export function stateOf(home: Home): State {
  const stored = storedState(home);
  const status = statusOf(home, stored);
  const { ociVersion, id, bundle, rootfs, created, annotations, owner } = stored;
  return {
    ociVersion,
    id,
    pid: status === "stopped" ? 0 : stored.pid,
    status,
    bundle,
    rootfs,
    created,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    owner,
  };
}

/** What a status is read from beside the process. */
export interface StatusFacts {
  readonly config: RuntimeConfig;
  readonly cgroups: CgroupLayout;
}

/** @param facts for who has them already; they are read only of a container that runs */
export function statusOf(home: Home, stored: StoredState, facts?: StatusFacts): Status {
  if (!isAlive(stored)) return "stopped";
  if (isWaiting(home)) return "created";
  return isPaused(facts ?? { config: storedConfig(home), cgroups: detectCgroups() }) ? "paused" : "running";
}

/** The waiting process is its gate's reader: without one the kernel refuses a writer that does not wait (ENXIO, fifo(7)). */
function isWaiting({ gate }: Home): boolean {
  try {
    closeSync(openSync(gate, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

function isPaused({ config, cgroups }: StatusFacts): boolean {
  const path = config.linux?.cgroupsPath ?? NO_CGROUP;
  if (path === NO_CGROUP) return false;
  const { freezer } = planCgroup({ layout: cgroups, path, skipDevices: true });
  if (freezer === undefined) return false;
  try {
    return readFileSync(freezer.frozen.path, "utf8").includes(freezer.frozen.text);
  } catch {
    return false;
  }
}

/** All containers below a root, by ID; half-made ones are left out. */
export function allHomes(root: string): readonly Home[] {
  let names: readonly string[];
  try {
    names = readdirSync(root);
  } catch (failure) {
    if ((failure as { code?: unknown }).code === "ENOENT") return [];
    throw toGalleyError(failure, { op: "list", subject: root });
  }
  return names.toSorted().flatMap((name) => {
    try {
      const home = homeOf(root, name);
      storedState(home);
      return [home];
    } catch {
      return [];
    }
  });
}
