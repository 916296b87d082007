import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import type { ResctrlGroup, ResctrlPlace } from "../../linux/resctrl/group.ts";
import { encode } from "../../recipe/encode.ts";
import { CWD } from "../../recipe/ops.ts";
import { type Recipe, step } from "../../recipe/recipe.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import { writeFileAtomic } from "../../state/atomic-file.ts";
import { compileStart } from "../compile-start.ts";
import { hasHooks } from "../hooks.ts";
import { hostFacts } from "../host.ts";
import { hooksDone } from "../managed.ts";
import type { ConsoleTarget, StartInput } from "../types.ts";
import { type Bundle, loadBundle } from "./bundle.ts";
import { consoleOf } from "./console.ts";
import { destroyContainer } from "./end.ts";
import { withEnvironment } from "./environment.ts";
import { type Home, homeOf } from "./home.ts";
import type { RuntimeLog } from "./log.ts";
import { runManaged, type Started } from "./native-run.ts";
import type { Place } from "./placed-run.ts";
import { isNestedRoot, makerOf } from "./rootless.ts";
import { type StoredState, type StoredUnit, storeState } from "./state.ts";
import type { StartedUnit } from "./systemd/unit-start.ts";
import { refuseTakenCgroup } from "./taken-cgroup.ts";

const S_IFIFO = 0o010000;

/** The flags of `create`, as the library takes them. */
export interface CreateOptions {
  /** Directory of state, which is made where missing. */
  readonly root: string;
  readonly native: string;
  readonly bundle: string;
  /** Where a terminal's master goes; needed with one. */
  readonly console?: ConsoleTarget | undefined;
  readonly pidFile?: string;
  readonly preserved: number;
  readonly noPivot: boolean;
  /** The container gets no cgroup but the one that its configuration names. */
  readonly rootless?: boolean;
  readonly keepKeyring: boolean;
  readonly pidfdSocket?: string;
  /** Variables that the process has besides those of its configuration. */
  readonly environment?: readonly string[];
  /** The container gets a socket to tell its readiness through: see notify.ts. */
  readonly notify?: boolean;
  readonly log: RuntimeLog;
  /** systemd makes the cgroup: `linux.cgroupsPath` is `slice:prefix:name`. */
  readonly systemd?: boolean;
}

export interface Created {
  readonly home: Home;
  readonly state: StoredState;
  /** Our end of the terminal's socket, where its target is the caller. */
  readonly console: number | undefined;
  /** Whether its end is more than a recipe can do: hooks, which may have something to say, or a unit, which systemd keeps where it failed. */
  readonly endsByDeletion: boolean;
}

/** Takes the state of the process as soon as there is one to be ended. */
interface Made {
  state?: StoredState;
  readonly resctrl: ResctrlGroup | undefined;
}

/** Makes a container, all but executed (runtime-spec runtime.md, "Create"). What fails leaves nothing behind. */
export async function createContainer(id: string, options: CreateOptions): Promise<Created> {
  const home = homeOf(options.root, id);
  const bundle = loadBundle(options.bundle, id, options);
  for (const warning of bundle.warnings) options.log.warn(warning);
  requireRoot(bundle);
  const made: Made = { resctrl: resctrlOf(bundle, id) };
  makeHome(home);
  try {
    if (options.systemd !== true) refuseTakenCgroup(bundle.config.linux?.cgroupsPath ?? "", bundle.cgroups);
  } catch (failure) {
    rmSync(home.directory, { recursive: true, force: true });
    throw failure;
  }
  try {
    const console = consoleOf(bundle.config.process?.terminal === true, options.console);
    const make = options.systemd === true ? createInUnit : create;
    return await make(home, bundle, { ...options, console }, made);
  } catch (failure) {
    await undo(home, bundle, options.native, made);
    throw toGalleyError(failure);
  }
}

/** As after any container, its hooks are told that it is no more. What fails here is no news to who is told of the first failure. */
async function undo(home: Home, bundle: Bundle, native: string, made: Made): Promise<void> {
  const state = made.state ?? { ...baseState(home, bundle), pid: 0, startTime: "" };
  await destroyContainer(home, { config: bundle.config, state, native }).catch(() => {});
  if (made.resctrl !== undefined) (await import("../../linux/resctrl/release.ts")).releaseGroup(made.resctrl);
  rmSync(home.directory, { recursive: true, force: true });
}

function requireRoot({ rootfs }: Bundle): void {
  if (existsSync(rootfs)) return;
  throw new GalleyError("not_found", `invalid rootfs: stat ${rootfs}: no such file or directory`, {
    subject: "root.path",
  });
}

/** The groups of resctrl that the configuration asks for, as groupOf finds them; few have any. */
export function resctrlOf({ config }: Bundle, id: string): ResctrlGroup | undefined {
  const { intelRdt } = config.linux ?? {};
  if (intelRdt === undefined) return undefined;
  const { groupOf } = require("../../linux/resctrl/group.ts") as typeof import("../../linux/resctrl/group.ts");
  return groupOf(intelRdt, id);
}

/** Makes the directory of a container. Throws `already_exists` where the ID is taken. */
export function makeHome(home: Home): void {
  mkdirSync(home.directory.slice(0, home.directory.lastIndexOf("/")), { recursive: true, mode: 0o711 });
  try {
    mkdirSync(home.directory, { mode: 0o711 });
  } catch (failure) {
    if ((failure as { code?: unknown }).code !== "EEXIST") throw toGalleyError(failure, { subject: home.directory });
    throw new GalleyError("already_exists", `container with id exists: ${home.id}`);
  }
}

/** With what puts the native program into the unit, where that is needed. */
interface Unit extends StartedUnit {
  readonly place: Place | undefined;
}

/** The unit is there before the process, and goes with a creation that fails. */
async function createInUnit(home: Home, bundle: Bundle, options: CreateOptions, made: Made): Promise<Created> {
  const { placeInUnit, placeOfUnit, startUnit } = await import("./systemd/unit-start.ts");
  const place = await placeOfUnit(bundle.config, home.id);
  refuseTakenCgroup(place.path, bundle.cgroups);
  const unit = await startUnit(bundle.config, place, options);
  try {
    const inside = await placeInUnit(unit.stored);
    const created = await create(home, { ...bundle, config: unit.config }, options, made, { ...unit, place: inside });
    await unit.settle();
    return created;
  } catch (failure) {
    throw await unit.abandon(failure);
  }
}

async function create(home: Home, bundle: Bundle, options: CreateOptions, made: Made, unit?: Unit): Promise<Created> {
  makeGate(home);
  const place = unit?.place;
  const given = unit === undefined ? bundle : { ...bundle, config: unit.startConfig };
  const whole = compile(home, given, options, { isInCgroup: place !== undefined, resctrl: made.resctrl });
  writeFileSync(home.config, JSON.stringify(bundle.config), { mode: 0o600 });
  const recipe = unit?.start(whole) ?? whole;
  const end = endOf(whole, home);
  writeFileSync(home.recipe, encode(unit?.end(end) ?? end), { mode: 0o600 });
  const { native, preserved, log } = options;
  const relay = options.console?.kind === "passed";
  const running = runManaged(recipe, { native, preserved, gated: true, relay, op: "create", log, place });
  const { report, console } = hasHostHooks(bundle) ? await hooked(running, home, bundle) : await running;
  const state = stateFrom(home, bundle, report.pid, { unit: unit?.stored, resctrl: made.resctrl });
  made.state = state;
  storeState(home, state);
  if (options.pidFile !== undefined) writeFileAtomic(options.pidFile, String(report.pid), { mode: 0o644 });
  const endsByDeletion = hasHooks(bundle.config, "poststop") || unit !== undefined;
  return { home, state, console, endsByDeletion };
}

/** While the native program waits with a mounted root, the hooks run; what one of them refuses is not made. */
async function hooked(running: Promise<Started>, home: Home, bundle: Bundle): Promise<Started> {
  const { runHooks } = await import("./hooks.ts");
  let over = false;
  const ended = running.finally(() => {
    over = true;
  });
  ended.catch(() => {});
  while (!existsSync(home.hooks.ready) && !over) await Bun.sleep(1);
  if (over) return ended;
  const state = stateFrom(home, bundle, Number(readFileSync(home.identity, "utf8").split(" ")[0]));
  try {
    const scene = { config: bundle.config, state, status: "creating" } as const;
    for (const kind of ["prestart", "createRuntime"] as const) await runHooks(kind, scene);
  } catch (failure) {
    process.kill(state.pid, "SIGKILL");
    writeFileAtomic(home.hooks.done, hooksDone);
    await ended.catch(() => {});
    throw failure;
  }
  writeFileAtomic(home.hooks.done, hooksDone);
  return ended;
}

function hasHostHooks({ config }: Bundle): boolean {
  return hasHooks(config, "prestart", "createRuntime");
}

/** What is there, or looked up, before the recipe. */
interface Around {
  readonly isInCgroup: boolean;
  readonly resctrl: ResctrlGroup | undefined;
}

function makeGate({ gate }: Home): void {
  const { mknodat } = require("../../linux/sys/sys.ts") as typeof import("../../linux/sys/sys.ts");
  mknodat(-100, gate, S_IFIFO | 0o600, 0);
  chmodSync(gate, 0o600);
}

/** With what the caller's service manager has for it: an exec into the container knows nothing of that. */
function served(config: RuntimeConfig, home: Home, { notify, environment = [] }: CreateOptions): RuntimeConfig {
  const { process } = config;
  const env = [...(process?.env ?? []), ...environment];
  const more = process === undefined || environment.length === 0 ? config : { ...config, process: { ...process, env } };
  if (notify !== true) return more;
  const { withNotifySocket } = require("./notify.ts") as typeof import("./notify.ts");
  return withNotifySocket(more, home);
}

function compile(home: Home, bundle: Bundle, options: CreateOptions, { isInCgroup, resctrl }: Around): Recipe {
  const { console, pidfdSocket, noPivot, keepKeyring, preserved } = options;
  const { path, rootfs } = bundle;
  const config = served(bundle.config, home, options);
  const { process } = config;
  const input: StartInput = {
    config:
      process === undefined
        ? config
        : { ...config, process: withEnvironment(process, { rootfs, mounts: config.mounts }) },
    self: { id: home.id, bundle: path },
    root: { kind: "directory", path: rootfs },
    mountPoint: mountPointFor(config, rootfs),
    openStdin: true,
    resctrl,
    managed: {
      identity: home.identity,
      gate: home.gate,
      noPivot,
      keepKeyring,
      preserved,
      ...makerOf(),
      isNested: isNestedRoot(),
      isInCgroup,
      ...(hasHostHooks(bundle) ? { hooks: home.hooks } : {}),
      ...(console === undefined ? {} : { console }),
      ...(pidfdSocket === undefined ? {} : { pidfdSocket }),
    },
  };
  return compileStart(input, hostFacts(bundle.cgroups));
}

/** What is mounted in the host's own mount namespace has a directory of its own, which is nobody's to delete but by rmdir(2). */
function mountPointFor({ linux }: RuntimeConfig, rootfs: string): string {
  const isOwn = linux?.namespaces?.some(({ type }) => type === "mount") === true;
  return isOwn ? rootfs : mkdtempSync(join(tmpdir(), "galley-root-"));
}

/** What is left to do once the process has ended, and what can be done to it until then. */
export function endOf({ sections }: Recipe, { directory }: Home): Recipe {
  const { cleanup = [], pause = [], resume = [], kill = [] } = sections;
  const remove = [step("remove_tree", [CWD, directory], { cause: "delete" })];
  return { sections: { cleanup, pause, resume, kill, remove } };
}

interface Joined {
  readonly unit?: StoredUnit | undefined;
  readonly resctrl?: ResctrlPlace | undefined;
}

function stateFrom(home: Home, bundle: Bundle, pid: number, { unit, resctrl }: Joined = {}): StoredState {
  const [, startTime = ""] = readFileSync(home.identity, "utf8").trim().split(" ");
  return {
    ...baseState(home, bundle, resctrl),
    pid,
    startTime,
    ...(unit === undefined ? {} : { unit }),
  };
}

/** What is known of a container before it has a process. @param resctrl absent where it joins no group */
export function baseState(
  home: Home,
  { config, path, rootfs }: Bundle,
  resctrl?: ResctrlPlace,
): Omit<StoredState, "pid" | "startTime"> {
  return {
    ociVersion: config.ociVersion,
    id: home.id,
    bundle: path,
    rootfs,
    created: statSync(home.directory).birthtime.toISOString(),
    annotations: config.annotations ?? {},
    owner: "",
    ...(resctrl === undefined ? {} : { resctrl: { group: resctrl.group, monitor: resctrl.monitor } }),
  };
}
