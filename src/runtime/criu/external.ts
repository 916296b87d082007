/** What of a container is not its own, and so not in a checkpoint: bind mounts, devices, namespaces that it joined. */
import { closeSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { detectCgroups } from "../../linux/cgroups/detect.ts";
import { placesOf } from "../../linux/cgroups/places.ts";
import { AT_FDCWD, O } from "../../linux/sys/flags.ts";
import { openat, openInRoot } from "../../linux/sys/open.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import { isBindMount } from "../../spec/validate/mounts.ts";

/** A mount point as the container sees it, and what is mounted there. */
export interface ExternalMount {
  readonly destination: string;
  readonly source: string;
}

/** The binds of a container, with those that a cgroup mount is made of where it shows the host's hierarchies. */
export function externalMounts(config: RuntimeConfig, rootfs: string, bundle: string): readonly ExternalMount[] {
  const binds = (config.mounts ?? []).flatMap((mount) => {
    if (mount.type === "cgroup") return cgroupBinds(mount.destination, config);
    return isBindMount(mount) ? [{ destination: mount.destination, source: resolve(bundle, mount.source ?? "") }] : [];
  });
  const devices = (config.linux?.devices ?? []).map(({ path }) => ({ destination: path, source: path }));
  return [...binds, ...devices].map(({ destination, source }) => ({
    destination: within(rootfs, destination),
    source,
  }));
}

/** In a cgroup namespace of its own, and under v2 alone, they are mounts of the container's own. */
function cgroupBinds(destination: string, { linux = {} }: RuntimeConfig): ExternalMount[] {
  const layout = detectCgroups();
  const own = (linux.namespaces ?? []).some(({ type, path = "" }) => type === "cgroup" && path === "");
  if (own || layout.mode === "v2") return [];
  return placesOf({ mode: layout.mode, v1: layout.v1 }, linux.cgroupsPath ?? "/").map(({ hierarchy, directory }) => ({
    destination: `${destination}/${hierarchy.mountPoint.slice(hierarchy.mountPoint.lastIndexOf("/") + 1)}`,
    source: directory,
  }));
}

/** Where a path leads within a root, its links followed there; what is not there yet keeps its name. */
export function within(rootfs: string, path: string): string {
  const root = openat(AT_FDCWD, rootfs, O.PATH | O.DIRECTORY);
  try {
    const top = readlinkSync(`/proc/self/fd/${root}`);
    const found = openInRoot(root, path, O.PATH);
    try {
      const real = readlinkSync(`/proc/self/fd/${found}`);
      return real.startsWith(`${top}/`) ? real.slice(top.length) : path;
    } finally {
      closeSync(found);
    }
  } catch {
    return path;
  } finally {
    closeSync(root);
  }
}

/** Files that are masked by /dev/null; a directory is by a file system of the container's own. */
export function maskedFiles({ linux = {} }: RuntimeConfig, pid: number): readonly string[] {
  return (linux.maskedPaths ?? []).filter((path) => {
    try {
      return !lstatSync(`/proc/${pid}/root/${path}`).isDirectory();
    } catch {
      return false;
    }
  });
}

/** Network and pid namespaces that the container joined. CRIU knows them by a name that is the same in both directions. */
export function joinedNamespaces({ linux = {} }: RuntimeConfig) {
  return (linux.namespaces ?? []).flatMap(({ type, path = "" }) => {
    if (path === "" || (type !== "network" && type !== "pid")) return [];
    const name = type === "network" ? "net" : "pid";
    const key = type === "network" ? "extRootNetNS" : "extRootPidNS";
    return [{ name, key, path }];
  });
}

/** As a dump is told of a namespace: `net[4026531840]:extRootNetNS`. */
export function externalNamespace({ name, key, path }: ReturnType<typeof joinedNamespaces>[number]): string {
  return `${name}[${statSync(path).ino}]:${key}`;
}
