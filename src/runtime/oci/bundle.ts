import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { GalleyError } from "../../errors.ts";
import { type CgroupLayout, detectCgroups } from "../../linux/cgroups/detect.ts";
import { defaultDevices } from "../../linux/devices.ts";
import { linuxVocabulary } from "../../linux/vocabulary.ts";
import type { DeviceConfig, RuntimeConfig } from "../../spec/runtime.ts";
import { isBindMount } from "../../spec/validate/mounts.ts";
import type { Problem } from "../../spec/validate/problem.ts";
import { parseConfig, validateConfig } from "../../spec/validate/validate.ts";
import { NO_CGROUP } from "../no-cgroup.ts";

/** A bundle that was read, checked and completed (runtime-spec bundle.md). */
export interface Bundle {
  /** Absolute. */
  readonly path: string;
  /** The root file system, absolute. */
  readonly rootfs: string;
  /** With everything that the runtime adds, as the container will have it. */
  readonly config: RuntimeConfig;
  /** The machine's cgroups, which it was checked against. */
  readonly cgroups: CgroupLayout;
  /** What of it is left out, for people. */
  readonly warnings: readonly string[];
}

/** Who makes the cgroup of a container that names none. */
export interface CgroupMaker {
  /** Nobody: see {@link rootless.ts isRootless}. */
  readonly rootless?: boolean;
  /** systemd, which has a name of its own for it. */
  readonly systemd?: boolean;
}

/** Reads the bundle of a container. Throws `not_found` or `invalid_argument`, with the field as its subject. */
export function loadBundle(directory: string, id: string, cgroup: CgroupMaker): Bundle {
  const path = resolve(directory);
  const file = join(path, "config.json");
  if (!existsSync(file)) {
    throw new GalleyError("not_found", `JSON specification file ${file} not found`, {
      hint: "--bundle names a directory with config.json and a root file system",
    });
  }
  const config = parseConfig(readFileSync(file, "utf8"), file);
  const cgroups = detectCgroups();
  const warnings = validateConfig(config, {
    vocabulary: linuxVocabulary(),
    cgroups: cgroups.mode,
    isOwnNetwork: (network) => isSameNamespace(network, "/proc/self/ns/net"),
  });
  const rootfs = rootOf(config, path);
  refuseFile(rootfs);
  return {
    path,
    rootfs,
    cgroups,
    config: completed({ ...config, ...placedMounts(config, path, rootfs) }, id, cgroup),
    warnings: warnings.map(told),
  };
}

function told({ field, message }: Problem): string {
  return `${field}: ${message}`;
}

/** What is not there at all is for the creation to say. */
function refuseFile(rootfs: string): void {
  if (statSync(rootfs, { throwIfNoEntry: false })?.isDirectory() !== false) return;
  throw new GalleyError("invalid_argument", `invalid rootfs: ${rootfs} is not a directory`, { subject: "root.path" });
}

function isSameNamespace(one: string, other: string): boolean {
  try {
    return readlinkSync(one) === readlinkSync(other);
  } catch {
    return false;
  }
}

function rootOf({ root }: RuntimeConfig, bundle: string): string {
  if (root === undefined) throw new GalleyError("invalid_argument", "is required", { subject: "root" });
  return isAbsolute(root.path) ? root.path : join(bundle, root.path);
}

/**
 * Binds of relative sources, which are below the bundle, get absolute ones; destinations that name the root by its path on the host, as
 * old configurations do, become those in the container.
 */
function placedMounts({ mounts }: RuntimeConfig, bundle: string, rootfs: string): Pick<RuntimeConfig, "mounts"> {
  if (mounts === undefined) return {};
  return {
    mounts: mounts.map((mount) => {
      const { source = "", destination } = mount;
      const isInside = destination.startsWith(`${rootfs}/`);
      const isRelative = source !== "" && !isAbsolute(source) && isBindMount(mount);
      if (!isInside && !isRelative) return mount;
      return {
        ...mount,
        ...(isRelative ? { source: join(bundle, source) } : {}),
        ...(isInside ? { destination: destination.slice(rootfs.length) } : {}),
      };
    }),
  };
}

/** The devices of every container, and a cgroup named by the container where none is asked for and one can be made. */
function completed(config: RuntimeConfig, id: string, { rootless, systemd }: CgroupMaker): RuntimeConfig {
  const { linux = {} } = config;
  const given: readonly DeviceConfig[] = linux.devices ?? [];
  const added = defaultDevices.filter(({ path }) => !given.some((device) => device.path === path));
  const cgroupsPath = linux.cgroupsPath || (rootless === true || systemd === true ? NO_CGROUP : `/${id}`);
  return {
    ...config,
    linux: { ...linux, devices: [...given, ...added], cgroupsPath },
  };
}
