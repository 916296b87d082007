import { GalleyError } from "../errors.ts";
import { defaultDeviceLinks, deviceNumber } from "../linux/devices.ts";
import { errno } from "../linux/errno.ts";
import { CWD, resolveKind } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { DeviceConfig, MountConfig } from "../spec/runtime.ts";
import { flag, slot } from "./slots.ts";

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
const types: Readonly<Record<DeviceConfig["type"], number>> = { c: S_IFCHR, u: S_IFCHR, b: S_IFBLK, p: S_IFIFO };

const DEV = "dev";
const PREFIX = "/dev/";

/**
 * Inside, once /dev is mounted: device nodes, links, and nothing of the image's own in their place.
 * @param bound binds the host's nodes instead of making new ones, which no user namespace but the first may
 */
export function compileDevices(devices: readonly DeviceConfig[], bound: boolean): Step[] {
  const cause = "linux.devices (/dev)";
  const steps = [step("resolve", [slot.root, "/dev", resolveKind.directory, 0o755], { out: DEV, cause })];
  for (const [index, device] of devices.entries()) {
    const why = `linux.devices[${index}] (${device.path})`;
    if (bound && device.type !== "p") steps.push(...bindNode(device, why));
    else makeNode(device, why, steps);
  }
  for (const [path, target] of defaultDeviceLinks) {
    steps.push(step("symlinkat", [target, DEV, path.slice(PREFIX.length)], { cause, tolerate: [errno.EEXIST] }));
  }
  return steps;
}

function bindNode({ path }: DeviceConfig, cause: string): Step[] {
  const both = flag.MOVE_MOUNT_F_EMPTY_PATH | flag.MOVE_MOUNT_T_EMPTY_PATH;
  return [
    step("open_tree", [CWD, path, flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC], { out: slot.mount, cause }),
    step("resolve", [slot.root, path, resolveKind.file, 0o644], { out: slot.target, cause }),
    step("move_mount", [slot.mount, "", slot.target, "", both], { cause }),
  ];
}

function makeNode(device: DeviceConfig, cause: string, steps: Step[]): void {
  const slash = device.path.lastIndexOf("/");
  const [parent, name] = [device.path.slice(0, slash), device.path.slice(slash + 1)];
  if (!device.path.startsWith("/") || name === "" || name === "." || name === "..") {
    throw new GalleyError("invalid_argument", "must be the absolute path of a device", { subject: cause });
  }
  if (parent !== "/dev") {
    const kind = resolveKind.directory;
    steps.push(step("resolve", [slot.root, parent === "" ? "/" : parent, kind, 0o755], { out: slot.target, cause }));
  }
  nodeSteps(device, parent === "/dev" ? DEV : slot.target, name, cause, steps);
}

function nodeSteps(device: DeviceConfig, directory: string, name: string, cause: string, steps: Step[]): void {
  const { fileMode = 0o666, major = 0, minor = 0, uid = 0, gid = 0 } = device;
  const [mode, number] = [types[device.type] | (fileMode & 0o7777), deviceNumber(major, minor)];
  steps.push(step("make_node", [directory, name, mode, number], { cause }));
  if (uid !== 0 || gid !== 0) {
    steps.push(step("fchownat", [directory, name, uid, gid, flag.AT_SYMLINK_NOFOLLOW], { cause }));
  }
}

/** Whether /dev is the container's own to fill: a file system mounted there, not the host's bound in. */
export function ownsDev(mounts: readonly MountConfig[]): boolean {
  for (const { destination, type = "bind", options = [] } of mounts) {
    if (destination !== "/dev" && destination !== "/dev/") continue;
    return type !== "bind" && !options.includes("bind") && !options.includes("rbind");
  }
  return false;
}
