import type { CgroupLayout } from "../linux/cgroups/detect.ts";
import { planCgroup } from "../linux/cgroups/plan.ts";
import type { CgroupJoin, CgroupPlan, CgroupStep, Freezer } from "../linux/cgroups/types.ts";
import { CWD } from "../recipe/ops.ts";
import { type ShimSettings, type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
import { type CgroupEntry, enterSteps, openOwn, pathOf, writeStep } from "./cgroup-entry.ts";
import { inUserNamespace } from "./id-maps.ts";
import { NO_CGROUP, withoutCgroup } from "./no-cgroup.ts";
import { slot } from "./slots.ts";

/** What a container's cgroup adds to its sections. */
export interface CgroupSteps extends CgroupEntry {
  readonly cleanup: readonly Step[];
  readonly pause: readonly Step[];
  readonly resume: readonly Step[];
  readonly kill: readonly Step[];
  readonly oom: Pick<ShimSettings, "oom">;
}

/** How long removal waits for the last processes, and pausing for all of them to stop. Milliseconds. */
const PATIENCE = 10_000;
const SIGKILL = 9;

/** What of the maker and the container decides beside the limits. */
export interface CgroupUse {
  /** The maker may make no device, and may not say who uses which. */
  readonly unprivileged?: boolean;
  /** The native program is in the cgroup: what it makes is born there. */
  readonly isInside?: boolean;
  /** Whose the cgroup will be: see {@link cgroup-owner.ts cgroupOwner}. */
  readonly owner?: number | undefined;
}

/**
 * Compiles linux.cgroupsPath and linux.resources. What belongs to v1 is made beside the inside's mounts, and entered by the
 * process itself; a root in a user namespace may not write there, and is attached from outside.
 */
export function compileCgroup(linux: LinuxConfig, layout: CgroupLayout, use: CgroupUse = {}): CgroupSteps {
  if (linux.cgroupsPath === NO_CGROUP) return withoutCgroup(linux);
  const { resources } = linux;
  const plan = planCgroup({
    layout,
    path: pathOf(linux),
    skipDevices: use.unprivileged === true,
    ...(resources === undefined ? {} : { resources }),
  });
  const join: CgroupJoin = use.isInside === true ? { attach: [] } : plan;
  const before: Step[] = [];
  const prepare: Step[] = [];
  const unified = layout.v2 === undefined ? undefined : `${layout.v2.mountPoint}/`;
  for (const one of plan.prepare) {
    const isUnified = unified !== undefined && one.path.startsWith(unified);
    (isUnified ? before : prepare).push(prepareStep(one));
  }
  return {
    before: [...before, ...ownedBy(use.owner, plan), ...openOwn(join), ...filterDevices(plan)],
    ...(join.cloneInto === undefined ? {} : { cloneInto: slot.cgroup }),
    prepare: [...prepare, ...watchOom(plan), ...(inUserNamespace(linux) ? attachSteps(plan) : [])],
    enter: inUserNamespace(linux) ? [] : enterSteps(plan),
    cleanup: cleanup(plan, linux),
    pause: freezerSteps(plan.freezer, "freeze"),
    resume: freezerSteps(plan.freezer, "thaw"),
    kill: killSteps(plan),
    oom: oomSettings(plan),
  };
}

/** v1 is never delegated. On hybrid machines the v2 directory has no limits to write, so nobody needs it. */
function ownedBy(owner: number | undefined, { cloneInto, attach }: CgroupPlan): Step[] {
  if (owner === undefined || cloneInto === undefined || attach.length > 0) return [];
  const { giveCgroup } = require("./cgroup-owner.ts") as typeof import("./cgroup-owner.ts");
  return giveCgroup(cloneInto, owner);
}

function prepareStep(one: CgroupStep): Step {
  if (one.kind === "mkdir") return step("make_dirs", [one.path, 0o755], { cause: one.cause });
  return writeStep(one.path, one.value, one.cause, one.tolerate);
}

/** The filter's directory is the one that the process is born in: where v1 filters devices the plan has none. */
function filterDevices({ deviceFilter }: CgroupPlan): Step[] {
  if (deviceFilter === undefined) return [];
  return [step("attach_device_filter", [slot.cgroup, deviceFilter.instructions], { cause: deviceFilter.cause })];
}

function watchOom({ oom }: CgroupPlan): Step[] {
  if (oom?.version !== 1) return [];
  return [step("watch_oom", [oom.directory], { out: slot.oom, cause: "linux.resources.memory (OOM kills)" })];
}

function oomSettings({ oom }: CgroupPlan): Pick<ShimSettings, "oom"> {
  if (oom === undefined) return {};
  return { oom: oom.version === 1 ? { slot: slot.oom } : { path: oom.counter } };
}

function attachSteps(plan: CgroupJoin): Step[] {
  return plan.attach.map(({ procs, cause }) => step("write_pid", [CWD, procs], { cause }));
}

function killSteps({ members }: CgroupPlan): Step[] {
  return members === undefined
    ? []
    : [step("kill_cgroup", [members, SIGKILL], { cause: "what still runs in its cgroup" })];
}

/** The end of a pid namespace's init ends all others; without a namespace of its own they are to be looked for. */
function cleanup(plan: CgroupPlan, linux: LinuxConfig): Step[] {
  const ownPids = (linux.namespaces ?? []).some((one) => one.type === "pid" && (one.path ?? "") === "");
  const remove = (path: string): Step => step("remove_cgroup", [path, PATIENCE], { cause: "linux.cgroupsPath" });
  return [...(ownPids ? [] : killSteps(plan)), ...plan.directories.map(remove)];
}

function freezerSteps(freezer: Freezer | undefined, which: "freeze" | "thaw"): Step[] {
  if (freezer === undefined) return [];
  const { path, value, cause } = freezer[which];
  const reached = which === "freeze" ? freezer.frozen : freezer.thawed;
  return [
    writeStep(path, value, cause),
    step("await_file", [CWD, reached.path, utf8(reached.text), PATIENCE], { cause }),
  ];
}
