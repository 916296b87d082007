/** What happens in a container, as runc's `events` tells it. */
import { GalleyError } from "../../errors.ts";
import { detectCgroups } from "../../linux/cgroups/detect.ts";
import { type OomWatch, watchOom } from "../../linux/cgroups/oom-watch.ts";
import { planCgroup } from "../../linux/cgroups/plan.ts";
import { cgroupStats } from "../../linux/cgroups/stats/stats.ts";
import type { CgroupStats } from "../../linux/cgroups/stats/types.ts";
import type { ResctrlStats } from "../../linux/resctrl/stats.ts";
import { NO_CGROUP } from "../no-cgroup.ts";
import type { Home } from "./home.ts";
import { statusOf, storedConfig, storedState } from "./state.ts";

/** `intel_rdt` is empty without `linux.intelRdt`, and there are no interfaces: what belongs to the network is not this runtime's. */
interface StatsData extends CgroupStats {
  readonly intel_rdt: ResctrlStats;
  readonly network_interfaces: null;
}

export type ContainerEvent =
  | { readonly type: "stats"; readonly id: string; readonly data: StatsData }
  | { readonly type: "oom"; readonly id: string };

/** The longest wait for news, in milliseconds: the end of a cgroup may be told by nobody. */
const PATIENCE = 1000;

/** What the container has used until now. */
export function statsEvent(home: Home): ContainerEvent {
  return readStats(home, runningCgroup(home));
}

function readStats(home: Home, path: string): ContainerEvent {
  const intel_rdt = resctrlStatsOf(home);
  const data = { ...cgroupStats({ layout: detectCgroups(), path }), intel_rdt, network_interfaces: null };
  return { type: "stats", id: home.id, data };
}

function resctrlStatsOf(home: Home): ResctrlStats {
  const { resctrl } = storedState(home);
  if (resctrl === undefined) return {};
  const { resctrlStats } = require("../../linux/resctrl/stats.ts") as typeof import("../../linux/resctrl/stats.ts");
  return resctrlStats(resctrl);
}

/**
 * Tells of each OOM kill at once and of the use once in every interval, until the container has gone.
 * Nothing else of this program runs meanwhile.
 * @param interval milliseconds
 */
export function followEvents(home: Home, interval: number, tell: (event: ContainerEvent) => void): void {
  const path = runningCgroup(home);
  using watch = watchMemory(home, path);
  for (let next = performance.now() + interval; ; ) {
    const news = watch.await(Math.min(next - performance.now(), PATIENCE));
    if (news === "gone") return;
    if (news === "oom") tell({ type: "oom", id: home.id });
    if (performance.now() < next) continue;
    tell(readStats(home, path));
    next += interval;
  }
}

function runningCgroup(home: Home): string {
  if (statusOf(home, storedState(home)) === "stopped") {
    throw new GalleyError("failed_precondition", `container with id ${home.id} is not running`);
  }
  const path = storedConfig(home).linux?.cgroupsPath ?? NO_CGROUP;
  if (path !== NO_CGROUP) return path;
  throw new GalleyError("failed_precondition", "the container has no cgroup that counts", {
    op: "events",
    subject: home.id,
  });
}

function watchMemory(home: Home, path: string): OomWatch {
  const { oom } = planCgroup({ layout: detectCgroups(), path, skipDevices: true });
  if (oom !== undefined) return watchOom(oom);
  throw new GalleyError("failed_precondition", "memory controller missing", { op: "events", subject: home.id });
}
