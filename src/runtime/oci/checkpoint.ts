import { closeSync, mkdirSync, statSync, writeFileSync, writeSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { detectCgroups } from "../../linux/cgroups/detect.ts";
import { planCgroup } from "../../linux/cgroups/plan.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import { DESCRIPTORS, describeStreams } from "../criu/descriptors.ts";
import { externalMounts, externalNamespace, joinedNamespaces, maskedFiles } from "../criu/external.ts";
import { type CriuFlags, sharedOptions } from "../criu/options.ts";
import { askCriu, requireFeature, withLog } from "../criu/program.ts";
import { type CriuOptions, request } from "../criu/rpc.ts";
import type { Notification } from "../criu/session.ts";
import { deleteContainer } from "./end.ts";
import type { Home } from "./home.ts";
import { type StoredState, statusOf, storedConfig, storedState } from "./state.ts";

/** The flags of `checkpoint`, as the library takes them. */
export interface CheckpointOptions extends CriuFlags {
  readonly native: string;
  /** Directory of an earlier pre-dump, relative to that of the images. */
  readonly parentPath: string;
  readonly leaveRunning: boolean;
  readonly preDump: boolean;
  readonly tcpSkipInFlight: boolean;
  readonly linkRemap: boolean;
  readonly pageServer?: { readonly address: string; readonly port: number };
  /** Gets a NUL once pages can be asked for. */
  readonly statusFd?: number;
}

/** Writes a running container's state to images, and ends it but where it is told to leave it running. */
export async function checkpointContainer(home: Home, options: CheckpointOptions): Promise<void> {
  const stored = storedState(home);
  const status = statusOf(home, stored);
  if (status === "created" || status === "stopped") {
    throw new GalleyError("failed_precondition", `Container cannot be checkpointed in ${status} state`, {
      subject: home.id,
    });
  }
  mkdirSync(options.imagePath, { recursive: true, mode: 0o700 });
  checkParent(options);
  await requireFeatures(options);
  await dump(home, stored, options);
  if (options.leaveRunning || options.preDump) return;
  // Whoever waits for the container may have removed it by now.
  await deleteContainer(home, options.native, true).catch(() => {});
}

function checkParent({ imagePath, parentPath }: CheckpointOptions): void {
  if (parentPath === "") return;
  if (isAbsolute(parentPath)) throw new GalleyError("invalid_argument", "--parent-path must be relative");
  const path = join(imagePath, parentPath);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new GalleyError("invalid_argument", `invalid --parent-path: ${path} is no directory`);
}

async function requireFeatures({ preDump, lazyPages, statusFd }: CheckpointOptions): Promise<void> {
  if (preDump) await requireFeature("MemTrack");
  if (!lazyPages) return;
  await requireFeature("LazyPages");
  if (statusFd !== undefined && !isOpen(statusFd))
    throw new GalleyError("invalid_argument", `invalid --status-fd argument ${statusFd}: it is not open`);
}

function isOpen(fd: number): boolean {
  return statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false }) !== undefined;
}

async function dump(home: Home, stored: StoredState, flags: CheckpointOptions): Promise<void> {
  const config = storedConfig(home);
  using shared = sharedOptions(flags, "dump.log", config);
  const options: CriuOptions = { ...shared.options, ...dumpOptions(stored, config, flags) };
  if (!flags.preDump) {
    writeFileSync(join(flags.imagePath, DESCRIPTORS), describeStreams(stored.pid), { mode: 0o600 });
  }
  const type = flags.preDump ? "preDump" : "dump";
  await askCriu(request(type, { options }), (notification) => told(notification, flags)).catch((failure: unknown) => {
    throw withLog(failure, shared.log);
  });
}

function dumpOptions({ pid, rootfs, bundle }: StoredState, config: RuntimeConfig, flags: CheckpointOptions) {
  const mounts = flags.preDump ? [] : externalMounts(config, rootfs, bundle);
  const masked = flags.preDump ? [] : maskedFiles(config, pid);
  return {
    pid,
    root: rootfs,
    leaveRunning: flags.leaveRunning,
    tcpSkipInFlight: flags.tcpSkipInFlight,
    linkRemap: flags.linkRemap,
    pageServer: flags.pageServer,
    ...(flags.parentPath === "" ? {} : { parentImg: flags.parentPath, trackMem: true }),
    freezeCgroup: freezerOf(config),
    external: joinedNamespaces(config).map(externalNamespace),
    extMnt: [
      ...mounts.map(({ destination }) => ({ key: destination, value: destination })),
      ...masked.map((path) => ({ key: path, value: "/dev/null" })),
    ],
  };
}

/** The cgroup directory by which all processes are stopped at once. */
function freezerOf({ linux = {} }: RuntimeConfig): string | undefined {
  const { freezer } = planCgroup({ layout: detectCgroups(), path: linux.cgroupsPath ?? "", skipDevices: true });
  return freezer?.frozen.path.replace(/\/[^/]*$/, "");
}

async function told({ script }: Notification, { statusFd }: CheckpointOptions): Promise<void> {
  if (script !== "status-ready" || statusFd === undefined) return;
  writeSync(statusFd, new Uint8Array(1));
  closeSync(statusFd);
}
