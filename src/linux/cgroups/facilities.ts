/** What can be done with a container's cgroup once it is there: stop it, kill it, watch it, count in it. */
import { kernelAtLeast } from "../kernel-version.ts";
import { type Place, placeOf } from "./places.ts";
import type { CgroupPlan, Freezer, OomSource } from "./types.ts";

type Facilities = Pick<CgroupPlan, "members" | "controllers" | "freezer" | "kill" | "oom">;

/**
 * On hybrid machines the v2 directory is used for all that needs no controller: its freezer never hangs half-way as v1's does,
 * frozen processes can be killed, and cgroup.kill leaves no process behind.
 */
export function facilitiesOf(places: readonly Place[], kernel: string): Facilities {
  const v2 = placeOf(places, 2, "");
  const members = v2 ?? placeOf(places, 1, "pids") ?? places[0];
  const freezer = freezerOf(places, v2, kernel);
  const oom = oomSource(places, v2);
  return {
    controllers: controllerDirectories(places),
    ...(members === undefined ? {} : { members: members.directory }),
    ...(freezer === undefined ? {} : { freezer }),
    ...(v2 !== undefined && kernelAtLeast(5, 14, kernel) ? { kill: `${v2.directory}/cgroup.kill` } : {}),
    ...(oom === undefined ? {} : { oom }),
  };
}

function controllerDirectories(places: readonly Place[]): Record<string, string> {
  const directories: Record<string, string> = {};
  for (const { hierarchy, directory } of [...places].reverse()) {
    for (const controller of hierarchy.controllers) directories[controller] = directory;
  }
  return directories;
}

/** v2 has had a freezer since Linux 5.2. */
function freezerOf(places: readonly Place[], v2: Place | undefined, kernel: string): Freezer | undefined {
  if (v2 !== undefined && kernelAtLeast(5, 2, kernel)) return unifiedFreezer(v2.directory);
  const v1 = placeOf(places, 1, "freezer");
  return v1 === undefined ? undefined : legacyFreezer(v1.directory);
}

function unifiedFreezer(directory: string): Freezer {
  const path = `${directory}/cgroup.freeze`;
  const events = `${directory}/cgroup.events`;
  return {
    freeze: { path, value: "1", cause: "pause" },
    frozen: { path: events, text: "frozen 1" },
    thaw: { path, value: "0", cause: "resume" },
    thawed: { path: events, text: "frozen 0" },
  };
}

/** freezer.state reads FREEZING until all are frozen; while new processes appear, FROZEN has to be written again. */
function legacyFreezer(directory: string): Freezer {
  const path = `${directory}/freezer.state`;
  return {
    freeze: { path, value: "FROZEN", cause: "pause" },
    frozen: { path, text: "FROZEN" },
    thaw: { path, value: "THAWED", cause: "resume" },
    thawed: { path, text: "THAWED" },
  };
}

function oomSource(places: readonly Place[], v2: Place | undefined): OomSource | undefined {
  const v1 = placeOf(places, 1, "memory");
  if (v1 !== undefined) return { version: 1, directory: v1.directory, counter: `${v1.directory}/memory.oom_control` };
  if (v2 === undefined || !v2.hierarchy.controllers.includes("memory")) return undefined;
  return { version: 2, counter: `${v2.directory}/memory.events` };
}
