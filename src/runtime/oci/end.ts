/** What is done to a container from outside: signals, pauses, its removal. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { type CgroupLayout, detectCgroups } from "../../linux/cgroups/detect.ts";
import { placesOf } from "../../linux/cgroups/places.ts";
import { isAlive } from "../../linux/processes.ts";
import { parseSignal, signals } from "../../linux/signals.ts";
import { decode } from "../../recipe/decode.ts";
import { encode } from "../../recipe/encode.ts";
import { NONE, verifyKind } from "../../recipe/ops.ts";
import { type SectionName, step } from "../../recipe/recipe.ts";
import { runRecipe } from "../../recipe/run.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import { NO_CGROUP } from "../no-cgroup.ts";
import { stepFailure } from "./failure.ts";
import type { Home } from "./home.ts";
import { type Status, type StoredState, statusOf, storedConfig, storedState } from "./state.ts";

/** Milliseconds that a killed process is waited for, and between two looks at it. */
const PATIENCE = 10_000;
const LOOK = 2;

/** Sends a signal (runtime-spec runtime.md, "Kill"). `all`: to every process of the container. Signal 0 only asks. */
export async function killContainer(home: Home, signal: string, all: boolean): Promise<void> {
  const stored = storedState(home);
  const number = signal === "0" ? 0 : parseSignal(signal);
  // Without a pid namespace of its own the end of the first process ends no other.
  const whole = all || (number === signals.KILL && !hasOwnPids(home));
  const others = whole ? processesOf(home) : [];
  for (const pid of others) sendSignal(pid, number);
  if (all || others.length > 0) return;
  if (statusOf(home, stored) === "stopped") {
    throw new GalleyError("failed_precondition", "container not running", { subject: home.id });
  }
  signalProcess(stored, number);
}

function hasOwnPids(home: Home): boolean {
  return (storedConfig(home).linux?.namespaces ?? []).some(({ type, path = "" }) => type === "pid" && path === "");
}

function signalProcess(stored: StoredState, signal: number): void {
  if (isAlive(stored)) sendSignal(stored.pid, signal);
}

/** One that has gone meanwhile has what it would have got. */
function sendSignal(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (failure) {
    if ((failure as { code?: unknown }).code !== "ESRCH")
      throw toGalleyError(failure, { op: "kill", subject: String(pid) });
  }
}

/** The pids of all processes in the container's cgroup and those below it, in this program's pid namespace; of one without the first. */
export function processesOf(home: Home): readonly number[] {
  const path = storedConfig(home).linux?.cgroupsPath ?? NO_CGROUP;
  if (path !== NO_CGROUP) return processesIn(path);
  const stored = storedState(home);
  return isAlive(stored) ? [stored.pid] : [];
}

/** The same for a `linux.cgroupsPath`; none where the cgroup is not there. */
export function processesIn(path: string, layout: CgroupLayout = detectCgroups()): readonly number[] {
  if (path === NO_CGROUP) return [];
  const places = placesOf(layout, path).map(({ directory }) => directory);
  const found = places.find((directory) => existsSync(`${directory}/cgroup.procs`));
  if (found === undefined) return [];
  return [...new Set(pidsBelow(found))].sort((a, b) => a - b);
}

/** A cgroup may go while it is looked at, as that of a scope which has ended does by systemd's hand: then nobody is in it. */
function pidsBelow(directory: string): readonly number[] {
  try {
    const own = readFileSync(`${directory}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);
    const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return own.concat(children.flatMap(({ name }) => pidsBelow(`${directory}/${name}`)));
  } catch (failure) {
    const { code } = failure as { readonly code?: unknown };
    if (code === "ENOENT" || code === "ENODEV") return [];
    throw failure;
  }
}

/** Freezes or thaws all processes; `failed_precondition` where the container is not in the state that this takes. */
export async function switchContainer(home: Home, native: string, section: "pause" | "resume"): Promise<void> {
  const status = statusOf(home, storedState(home));
  const allowed: readonly Status[] = section === "pause" ? ["running", "created"] : ["paused"];
  if (!allowed.includes(status)) {
    const why = section === "pause" ? "container not running" : "container not paused";
    throw new GalleyError("failed_precondition", why, { subject: home.id });
  }
  await runSection(home, native, section);
}

async function runSection(home: Home, native: string, section: SectionName): Promise<void> {
  const recipe = { sections: { outside: decode(readFileSync(home.recipe)).sections[section] ?? [] } };
  if (recipe.sections.outside.length === 0) {
    throw new GalleyError("failed_precondition", "the container has no cgroup that could be frozen", {
      op: section,
      subject: home.id,
    });
  }
  const report = await runRecipe(native, encode(recipe));
  if (report.failure !== undefined) throw stepFailure(recipe, report.failure, section);
}

/** Removes what is left of a container (runtime-spec runtime.md, "Delete"); `force` kills it first. */
export async function deleteContainer(home: Home, native: string, force: boolean): Promise<readonly string[]> {
  const stored = storedState(home);
  const status = statusOf(home, stored);
  if (status !== "stopped" && status !== "created" && !force) {
    throw new GalleyError("failed_precondition", `cannot delete container ${home.id} that is not stopped: ${status}`);
  }
  if (status === "paused") await runSection(home, native, "resume");
  return destroyContainer(home, { config: storedConfig(home), state: stored, native });
}

/** What {@link destroyContainer} goes by. */
export interface Remains {
  readonly config: RuntimeConfig;
  readonly state: StoredState;
  readonly native: string;
}

/** Ends all processes, removes cgroups and state, and runs the last hooks. Returns what is to be said of those: none keeps a container. */
export async function destroyContainer(home: Home, { config, state, native }: Remains): Promise<readonly string[]> {
  signalProcess(state, signals.KILL);
  await untilGone(() => isAlive(state));
  if (existsSync(home.config) && !hasOwnPids(home)) await killOthers(home);
  if (state.unit !== undefined) await (await import("./systemd/unit-start.ts")).stopUnit(state.unit);
  await cleanUp(home, native);
  rmSync(home.directory, { recursive: true, force: true });
  if ((config.hooks?.poststop ?? []).length === 0) return [];
  const { tryHooks } = await import("./hooks.ts");
  return tryHooks("poststop", { config, state, status: "stopped" });
}

/** What a container without a pid namespace of its own has left running. */
async function killOthers(home: Home): Promise<void> {
  await untilGone(() => {
    const pids = processesOf(home);
    for (const pid of pids) sendSignal(pid, signals.KILL);
    return pids.length > 0;
  });
}

async function untilGone(isThere: () => boolean): Promise<void> {
  for (const end = performance.now() + PATIENCE; isThere(); await Bun.sleep(LOOK)) {
    if (performance.now() > end) throw new GalleyError("deadline_exceeded", "container init still running");
  }
}

/** Each step of a clean-up is tried whatever became of the one before: it is run as that of a recipe that fails. */
export async function cleanUp({ recipe }: Home, native: string): Promise<void> {
  if (!existsSync(recipe)) return;
  const { cleanup = [] } = decode(readFileSync(recipe)).sections;
  const fail = step("verify", [NONE, verifyKind.devNull], { cause: "delete" });
  await runRecipe(native, encode({ sections: { outside: [fail], cleanup } }));
}
