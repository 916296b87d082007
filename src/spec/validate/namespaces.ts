/** Rules about namespaces and what needs them. */
import type { NamespaceType, RuntimeConfig } from "../runtime.ts";
import { type Check, error, keyed, type Problem, when } from "./problem.ts";

const types: readonly string[] = [
  "pid",
  "network",
  "mount",
  "ipc",
  "uts",
  "user",
  "cgroup",
  "time",
] satisfies NamespaceType[];

/** The namespace entry of a type; undefined where the container shares the runtime's. */
function namespaceOf(config: RuntimeConfig, type: NamespaceType) {
  return config.linux?.namespaces?.find((one) => one.type === type);
}

/** Types are known, none is there twice, paths are absolute. */
export const namespaceList: Check = ({ linux }) => {
  const list = linux?.namespaces ?? [];
  return list.flatMap(({ type, path }, index) => {
    const field = `linux.namespaces[${index}]`;
    const first = list.findIndex((other) => other.type === type);
    return [
      ...when(
        !types.includes(type),
        error(`${field}.type`, `unknown namespace ${JSON.stringify(type)}`, `use one of ${types.join(", ")}`),
      ),
      ...when(first < index, error(`${field}.type`, `the namespace ${type} is there already, as number ${first}`)),
      ...when(
        path !== undefined && path !== "" && !path.startsWith("/"),
        error(`${field}.path`, "must be an absolute path"),
      ),
    ];
  });
};

/** Host and domain name belong to the container's own UTS namespace, and fit the kernel's 64 characters. */
export const hostnameNeedsUts: Check = (config) =>
  (["hostname", "domainname"] as const).flatMap((field) => {
    const value = config[field] ?? "";
    if (value === "") return [];
    const hint = 'add {"type": "uts"} to linux.namespaces';
    return [
      ...when(
        namespaceOf(config, "uts") === undefined,
        error(field, "cannot be set without a UTS namespace of the container's own", hint),
      ),
      ...when(new TextEncoder().encode(value).length > 64, error(field, "must not be longer than 64 bytes")),
    ];
  });

/** Hiding a path is a mount: without a mount namespace it would hide it from the host. */
export const hiddenPathsNeedMount: Check = (config) =>
  (["maskedPaths", "readonlyPaths"] as const).flatMap((name): readonly Problem[] => {
    const paths = config.linux?.[name] ?? [];
    const field = `linux.${name}`;
    if (paths.length > 0 && namespaceOf(config, "mount") === undefined) {
      return [error(field, "cannot be restricted without a mount namespace of the container's own")];
    }
    return paths.flatMap((path, index) =>
      when(!path.startsWith("/"), error(`${field}[${index}]`, "must be an absolute path")),
    );
  });

/** Clocks can be moved only in a new time namespace, and only two of them (time_namespaces(7)). */
export const timeOffsets: Check = (config) => {
  const offsets = config.linux?.timeOffsets;
  if (offsets === undefined) return [];
  const namespace = namespaceOf(config, "time");
  const field = "linux.timeOffsets";
  return [
    ...when(
      namespace === undefined,
      error(field, "cannot be set without a time namespace", 'add {"type": "time"} to linux.namespaces'),
    ),
    ...when(
      (namespace?.path ?? "") !== "",
      error(field, "cannot be set in a time namespace that is joined by its path"),
    ),
    ...Object.entries(offsets).flatMap(([clock, { nanosecs = 0 }]) => [
      ...when(
        clock !== "monotonic" && clock !== "boottime",
        error(keyed(field, clock), "only monotonic and boottime have an offset"),
      ),
      ...when(nanosecs > 999_999_999, error(`${keyed(field, clock)}.nanosecs`, "must be less than a second")),
    ]),
  ];
};

const personalities = ["LINUX", "LINUX32"];

/** Of personality(2)'s domains OCI has two, and no flags yet. */
export const personality: Check = ({ linux }) => {
  const value = linux?.personality;
  if (value === undefined) return [];
  const { domain, flags = [] } = value;
  return [
    ...when(
      !personalities.includes(domain),
      error("linux.personality.domain", `unknown domain ${JSON.stringify(domain)}`, "use LINUX or LINUX32"),
    ),
    ...when(flags.length > 0, error("linux.personality.flags", "no flags are defined")),
  ];
};

function isInterfaceName(name: string): boolean {
  return /^[^/:\s]{1,15}$/.test(name) && name !== "." && name !== "..";
}

/** Interfaces move into a network namespace of the container's own, under names that the kernel takes, no two under one. */
export const netDevices: Check = (config, { rootless }) => {
  const entries = Object.entries(config.linux?.netDevices ?? {});
  if (entries.length === 0) return [];
  const field = "linux.netDevices";
  const targets = entries.map(([name, device]) => device.name || name);
  return [
    ...when(
      namespaceOf(config, "network") === undefined,
      error(field, "cannot be moved without a network namespace of the container's own"),
    ),
    ...when(rootless === true, error(field, "cannot be moved by a rootless runtime")),
    ...entries.flatMap(([name], index) => {
      const target = targets[index] ?? name;
      return [
        ...when(!isInterfaceName(name), error(keyed(field, name), "is not the name of a network interface")),
        ...when(
          !isInterfaceName(target),
          error(`${keyed(field, name)}.name`, "is not the name of a network interface"),
        ),
        ...when(
          targets.indexOf(target) < index,
          error(`${keyed(field, name)}.name`, `another interface is to be called ${target} too`),
        ),
      ];
    }),
  ];
};
