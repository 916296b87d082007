/** Device nodes: those that every container has, and those of the host that one is given. */
import { lstatSync, readdirSync, realpathSync, type Stats } from "node:fs";
import { posix } from "node:path";
import { GalleyError, toGalleyError } from "../errors.ts";
import type { DeviceConfig, DeviceRule } from "../spec/runtime.ts";

const standard = (path: string, major: number, minor: number): DeviceConfig => ({
  type: "c",
  path,
  major,
  minor,
  fileMode: 0o666,
  uid: 0,
  gid: 0,
});

/** The devices that each container has (runtime-spec config-linux.md, "Default Devices"); ptmx is a link, console a bind mount. */
export const defaultDevices: readonly DeviceConfig[] = [
  standard("/dev/null", 1, 3),
  standard("/dev/zero", 1, 5),
  standard("/dev/full", 1, 7),
  standard("/dev/random", 1, 8),
  standard("/dev/urandom", 1, 9),
  standard("/dev/tty", 5, 0),
];

/** The links in /dev that each container has (runtime-spec config-linux.md, "Dev symbolic links"): path and target. */
export const defaultDeviceLinks: readonly (readonly [path: string, target: string])[] = [
  ["/dev/fd", "/proc/self/fd"],
  ["/dev/stdin", "/proc/self/fd/0"],
  ["/dev/stdout", "/proc/self/fd/1"],
  ["/dev/stderr", "/proc/self/fd/2"],
  ["/dev/ptmx", "pts/ptmx"],
];

/** A device number as mknod(2) takes it: the kernel's encoding with 12 bits of major and 20 bits of minor. */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** Major and minor of a stat(2) `st_rdev`, which is the same encoding. */
export function splitDeviceNumber(rdev: number): { readonly major: number; readonly minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}

/** A node as configuration; undefined for what is no device. `path` is where the container will have it. */
function deviceOf(stats: Stats, path: string): DeviceConfig | undefined {
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined;
  const type = stats.isBlockDevice() ? "b" : "c";
  return {
    type,
    path,
    ...splitDeviceNumber(stats.rdev),
    fileMode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
  };
}

/**
 * A host device under the name that the container will have for it. Links are followed; a directory gives every device in and below
 * it. Throws `not_found` for a missing path, `invalid_argument` for a path without any device.
 */
export function hostDevices(hostPath: string, containerPath: string): DeviceConfig[] {
  const real = resolvePath(hostPath);
  const stats = lstatSync(real);
  const devices = stats.isDirectory() ? devicesBelow(real, containerPath) : [deviceOf(stats, containerPath)];
  const found = devices.filter((device) => device !== undefined);
  if (found.length > 0) return found;
  throw new GalleyError("invalid_argument", "not a device node", {
    op: "add device",
    subject: hostPath,
    hint: "to give a container a file or directory, use --volume",
  });
}

function resolvePath(hostPath: string): string {
  try {
    return realpathSync(hostPath);
  } catch (failure) {
    throw toGalleyError(failure, { op: "add device", subject: hostPath, hint: "--device takes a path of the host" });
  }
}

/** Parts of /dev that are each container's own, or that are no devices of the host. */
const skipped = new Set(["console", "fd", "mqueue", "pts", "shm", ".lxc", ".lxd-mounts", ".udev"]);

/** All devices of the host, for a privileged container: /dev without pseudo-terminals and links. */
export function allHostDevices(): DeviceConfig[] {
  return devicesBelow("/dev", "/dev");
}

function devicesBelow(directory: string, containerPath: string): DeviceConfig[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name)) return [];
    const path = posix.join(directory, entry.name);
    const target = posix.join(containerPath, entry.name);
    if (entry.isDirectory()) return devicesBelow(path, target);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    const device = statOf(path);
    return device === undefined ? [] : [deviceOf(device, target)].filter((one) => one !== undefined);
  });
}

/** A device may go between the listing and the look. */
function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** The cgroup rule that lets a container use a device. `access` is of `rwm`. */
export function deviceRule(device: DeviceConfig, access: string): DeviceRule {
  const { major = -1, minor = -1 } = device;
  return { allow: true, type: device.type === "b" ? "b" : "c", major, minor, access };
}
