import { closeSync, mkdirSync, openSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { parseMemberships } from "../../linux/cgroups/detect.ts";
import { startTimeOf } from "../../linux/processes.ts";
import type { ResctrlGroup } from "../../linux/resctrl/group.ts";
import { releaseGroup } from "../../linux/resctrl/release.ts";
import { ownMountNamespace } from "../../linux/sys/mount-namespace.ts";
import { encode } from "../../recipe/encode.ts";
import type { Recipe } from "../../recipe/recipe.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import { writeFileAtomic } from "../../state/atomic-file.ts";
import { compileRestore } from "../compile-restore.ts";
import { DESCRIPTORS, pipesIn } from "../criu/descriptors.ts";
import { externalMounts, joinedNamespaces } from "../criu/external.ts";
import { type CriuFlags, type SharedOptions, sharedOptions } from "../criu/options.ts";
import { mountPlaces } from "../criu/places.ts";
import { criuProgram, withLog } from "../criu/program.ts";
import { type RestoringCriu, startRestoring } from "../criu/restore-program.ts";
import { answer, type CriuOptions, request } from "../criu/rpc.ts";
import { converse, type Notification } from "../criu/session.ts";
import { hasHooks } from "../hooks.ts";
import { type Bundle, loadBundle } from "./bundle.ts";
import { baseState, type Created, endOf, makeHome, resctrlOf } from "./create.ts";
import { cleanUp } from "./end.ts";
import { type Home, homeOf } from "./home.ts";
import { runHooks } from "./hooks.ts";
import { type StoredState, storeState } from "./state.ts";
import { sendTerminal } from "./terminal.ts";

/** The flags of `restore`, as the library takes them. */
export interface RestoreOptions extends CriuFlags {
  readonly root: string;
  readonly native: string;
  readonly bundle: string;
  /** Socket that gets the terminal's master; needed with a terminal. */
  readonly consoleSocket: string;
  readonly pidFile: string;
  readonly lsmProfile: string;
  readonly lsmMountContext: string;
}

/** What a restore works with. */
interface Scene {
  readonly home: Home;
  readonly bundle: Bundle;
  readonly resctrl: ResctrlGroup | undefined;
  readonly options: RestoreOptions;
  /** Path of criu. */
  readonly criu: string;
}

/** Makes a container of a checkpoint's images. It runs by the time this resolves, as nobody's child or that of a subreaper above. */
export async function restoreContainer(id: string, options: RestoreOptions): Promise<Omit<Created, "console">> {
  const home = homeOf(options.root, id);
  // CRIU restores for root alone.
  const bundle = loadBundle(options.bundle, id, {});
  const criu = criuProgram();
  const resctrl = resctrlOf(bundle, id);
  makeHome(home);
  try {
    const state = await restore({ home, bundle, resctrl, options, criu });
    if (options.pidFile !== "") writeFileAtomic(options.pidFile, String(state.pid), { mode: 0o644 });
    return { home, state, endsByDeletion: hasHooks(bundle.config, "poststop") };
  } catch (failure) {
    await cleanUp(home, options.native).catch(() => {});
    if (resctrl !== undefined) releaseGroup(resctrl);
    rmSync(home.directory, { recursive: true, force: true });
    throw toGalleyError(failure);
  }
}

async function restore(scene: Scene): Promise<StoredState> {
  const { home, bundle, resctrl, options, criu } = scene;
  const pipes = pipesIn(readFileSync(join(options.imagePath, DESCRIPTORS), "utf8"));
  const mountPoint = join(home.directory, "criu-root");
  mkdirSync(mountPoint, { mode: 0o755 });
  const { config, rootfs, path } = bundle;
  const places = mountPlaces(config, rootfs, path);
  const recipe = compileRestore({ config, rootfs, mountPoint, places, criu, resctrl, identity: home.identity });
  writeFileSync(home.config, JSON.stringify(config), { mode: 0o600 });
  writeFileSync(home.recipe, encode(endOf(recipe, home)), { mode: 0o600 });
  const joined = joinedNamespaces(config);
  const fds = joined.map(({ path: namespace }) => openSync(namespace, "r"));
  const namespaces = joined.map(({ key }, index) => ({ key, fd: 4 + index }));
  try {
    using started = await startPrivately(scene, recipe, fds);
    return await ask(scene, started, { root: mountPoint, inherited: [...namespaces, ...pipes] });
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

interface StartedCriu extends Disposable {
  readonly criu: RestoringCriu;
  readonly shared: SharedOptions;
}

/** CRIU mounts in its work directory, which therefore has to be opened in the namespace that it is started in. */
async function startPrivately(
  { bundle, options }: Scene,
  recipe: Recipe,
  fds: readonly number[],
): Promise<StartedCriu> {
  using _ = ownMountNamespace();
  const shared = sharedOptions(options, "restore.log", bundle.config);
  try {
    const criu = await startRestoring(options.native, recipe, fds);
    return { criu, shared, [Symbol.dispose]: () => shared[Symbol.dispose]() };
  } catch (failure) {
    shared[Symbol.dispose]();
    throw failure;
  }
}

interface Given {
  readonly root: string;
  /** Descriptors of criu's that take the place of what was not the container's own. */
  readonly inherited: NonNullable<CriuOptions["inheritFd"]>;
}

async function ask(scene: Scene, { criu, shared }: StartedCriu, given: Given): Promise<StoredState> {
  try {
    const options = restoreOptions(scene, shared, criu, given);
    const said = await converse(criu.socket, request("restore", { options }), (one) => told(one, scene));
    return adopt(scene, said.message(answer.restore).number(1));
  } catch (failure) {
    throw withLog(failure, shared.log);
  } finally {
    await criu.end();
  }
}

function restoreOptions(
  { bundle, options }: Scene,
  shared: SharedOptions,
  criu: RestoringCriu,
  given: Given,
): CriuOptions {
  const { config, rootfs, path } = bundle;
  const mounts = externalMounts(config, rootfs, path);
  const masks = (config.linux?.maskedPaths ?? []).length > 0 ? [{ key: "/dev/null", value: "/dev/null" }] : [];
  return {
    ...shared.options,
    root: given.root,
    evasiveDevices: true,
    rstSibling: true,
    cgRoot: cgroupsOf(criu.pid),
    inheritFd: given.inherited,
    joinNs: otherNamespaces(config),
    extMnt: [...mounts.map(({ destination, source }) => ({ key: destination, value: source })), ...masks],
    lsmProfile: options.lsmProfile || undefined,
    lsmMountContext: options.lsmMountContext || undefined,
  };
}

/** The cgroup of a process in each hierarchy, by its controllers. */
function cgroupsOf(pid: number): { key: string; value: string }[] {
  const memberships = parseMemberships(readFileSync(`/proc/${pid}/cgroup`, "utf8"));
  return memberships.map(({ controllers, path }) => ({ key: controllers.join(","), value: path }));
}

const shortNames: Readonly<Record<string, string>> = {
  mount: "mnt",
  uts: "uts",
  ipc: "ipc",
  user: "user",
  time: "time",
};

/** All but network and pid namespaces CRIU joins by their path. */
function otherNamespaces({ linux = {} }: RuntimeConfig): { key: string; value: string }[] {
  return (linux.namespaces ?? []).flatMap(({ type, path = "" }, index) => {
    if (path === "" || type === "network" || type === "pid") return [];
    const key = shortNames[type];
    if (key !== undefined) return [{ key, value: path }];
    throw new GalleyError("unimplemented", `CRIU cannot join a namespace of type ${type}`, {
      subject: `linux.namespaces[${index}]`,
    });
  });
}

async function told({ script, pid, fds }: Notification, { home, bundle, options }: Scene): Promise<void> {
  if (script === "orphan-pts-master") return giveTerminal(fds, options);
  if (script !== "setup-namespaces") return;
  const scene = { config: bundle.config, state: stateFrom(home, bundle, pid), status: "creating" } as const;
  await runHooks("prestart", scene);
  await runHooks("createRuntime", scene);
}

async function giveTerminal([master]: readonly number[], { consoleSocket, native }: RestoreOptions): Promise<void> {
  if (master === undefined) return;
  if (consoleSocket === "") {
    throw new GalleyError("invalid_argument", "the checkpoint has a terminal", { hint: "give --console-socket" });
  }
  await sendTerminal(native, consoleSocket, master);
}

/** CRIU restores into a time namespace, in which clocks go on from where they were: what is executed later belongs there too. */
function adopt({ home, bundle, resctrl }: Scene, pid: number): StoredState {
  const { linux = {}, ...config } = bundle.config;
  const namespaces = linux.namespaces ?? [];
  if (!namespaces.some(({ type }) => type === "time") && !isOurs(pid, "time")) {
    const completed = { ...config, linux: { ...linux, namespaces: [...namespaces, { type: "time" }] } };
    writeFileAtomic(home.config, JSON.stringify(completed), { mode: 0o600 });
  }
  const state = stateFrom(home, bundle, pid, resctrl);
  writeFileAtomic(home.identity, `${pid} ${state.startTime}\n`, { mode: 0o600 });
  storeState(home, state);
  return state;
}

function isOurs(pid: number, type: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/${type}`) === readlinkSync(`/proc/self/ns/${type}`);
  } catch {
    return true;
  }
}

function stateFrom(home: Home, bundle: Bundle, pid: number, resctrl?: ResctrlGroup): StoredState {
  return { ...baseState(home, bundle, resctrl), pid, startTime: startTimeOf(pid) ?? "" };
}
