import { GalleyError, toGalleyError } from "../../errors.ts";
import { allHostDevices, defaultDevices, deviceRule, hostDevices } from "../../linux/devices.ts";
import type { DeviceConfig, DeviceRule } from "../../spec/runtime.ts";
import type { ContainerSpec } from "../types.ts";

export interface ContainerDevices {
  readonly nodes: readonly DeviceConfig[];
  /** To be applied in order; what every container may use comes on top. */
  readonly rules: readonly DeviceRule[];
}

const deny: DeviceRule = { allow: false, access: "rwm" };

/**
 * Nodes and rules of a container's devices: the standard ones, those asked for, and for a privileged container all of the
 * host's. Throws `invalid_argument`, in docker's words, for a path of the host without a device.
 */
export function devicesOf(spec: ContainerSpec): ContainerDevices {
  const asked = (spec.devices ?? []).flatMap(({ hostPath, containerPath, access }) =>
    gather(hostPath, containerPath).map((node) => ({ node, access })),
  );
  if (spec.privileged) {
    const nodes = distinct([...defaultDevices, ...asked.map(({ node }) => node), ...allHostDevices()]);
    return { nodes, rules: [{ allow: true, access: "rwm" }] };
  }
  const more = (spec.deviceCgroupRules ?? []).map(parseDeviceRule);
  if (asked.length + more.length === 0) return { nodes: defaultDevices, rules: [deny] };
  return {
    nodes: distinct([...defaultDevices, ...asked.map(({ node }) => node)]),
    rules: [deny, ...asked.map(({ node, access }) => deviceRule(node, access)), ...more],
  };
}

function gather(hostPath: string, containerPath: string): readonly DeviceConfig[] {
  try {
    return hostDevices(hostPath, containerPath);
  } catch (failure) {
    const error = toGalleyError(failure);
    const reason = error.code === "not_found" ? "no such file or directory" : error.message;
    throw new GalleyError(
      "invalid_argument",
      `error gathering device information while adding custom device ${JSON.stringify(hostPath)}: ${reason}`,
      error.hint === undefined ? {} : { hint: error.hint },
    );
  }
}

function distinct(nodes: readonly DeviceConfig[]): readonly DeviceConfig[] {
  return [...new Map(nodes.toReversed().map((node) => [node.path, node])).values()].reverse();
}

/** Reads `c 13:* rwm`. Throws `invalid_argument`. */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) {
    throw new GalleyError("invalid_argument", `invalid device cgroup format '${text}'`, {
      hint: "it takes 'type major:minor access', as in 'c 1:3 rwm'",
    });
  }
  const [, type, major, minor, access = ""] = match;
  return {
    allow: true,
    type: type === "a" || type === "b" ? type : "c",
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  };
}
