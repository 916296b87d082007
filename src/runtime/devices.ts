import { basename, dirname } from "node:path";
import { defaultDeviceLinks, deviceNumber } from "../linux/devices.ts";
import { errno } from "../linux/errno.ts";
import { resolveKind } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { DeviceConfig } from "../spec/runtime.ts";
import { slot } from "./slots.ts";

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
const types: Readonly<Record<DeviceConfig["type"], number>> = { c: S_IFCHR, u: S_IFCHR, b: S_IFBLK, p: S_IFIFO };

const DEV = "dev";

/** Inside, once /dev is mounted: device nodes, links, and nothing of the image's own in their place. */
export function compileDevices(devices: readonly DeviceConfig[]): Step[] {
  const cause = "linux.devices (/dev)";
  const first = step("resolve", [slot.root, "/dev", resolveKind.directory, 0o755], { out: DEV, cause });
  return [
    first,
    ...devices.flatMap((device, index) => makeDevice(device, `linux.devices[${index}] (${device.path})`)),
    ...defaultDeviceLinks.map(([path, target]) =>
      step("symlinkat", [target, DEV, basename(path)], { cause, tolerate: [errno.EEXIST] }),
    ),
    step("close", [DEV], { cause }),
  ];
}

function makeDevice(device: DeviceConfig, cause: string): Step[] {
  const directory = dirname(device.path);
  if (directory === "/dev") return nodeSteps(device, DEV, cause);
  return [
    step("resolve", [slot.root, directory, resolveKind.directory, 0o755], { out: slot.target, cause }),
    ...nodeSteps(device, slot.target, cause),
    step("close", [slot.target], { cause }),
  ];
}

function nodeSteps(device: DeviceConfig, directory: string, cause: string): Step[] {
  const name = basename(device.path);
  const mode = (device.fileMode ?? 0o666) & 0o7777;
  const [uid, gid] = [device.uid ?? 0, device.gid ?? 0];
  const number = deviceNumber(device.major ?? 0, device.minor ?? 0);
  const node = step("mknodat", [directory, name, types[device.type] | mode, number], {
    cause,
    tolerate: [errno.EEXIST],
  });
  if (uid === 0 && gid === 0) return [node];
  return [node, step("fchownat", [directory, name, uid, gid, 0x100], { cause })];
}

/** Whether /dev is the container's own to fill: a file system mounted there, not the host's bound in. */
export function ownsDev(
  mounts: readonly { readonly destination: string; readonly type?: string; readonly options?: readonly string[] }[],
): boolean {
  const dev = mounts.find((mount) => mount.destination.replace(/\/+$/, "") === "/dev");
  return (
    dev?.type !== undefined &&
    dev.type !== "bind" &&
    !(dev.options ?? []).some((option) => option === "bind" || option === "rbind")
  );
}
