import { GalleyError } from "../../errors.ts";
import type { CgroupLayout } from "../../linux/cgroups/detect.ts";
import type { LinuxConfig, NamespaceType } from "../../spec/runtime.ts";
import type { ContainerSpec } from "../types.ts";
import type { JoinedContainer, JoinedContainers, Mode, NamespaceModes } from "./modes.ts";

type Namespaces = NonNullable<LinuxConfig["namespaces"]>;

/** The namespaces of a container: new ones, and those of other containers by their paths; the host's are not named. */
export function namespacesOf(
  spec: ContainerSpec,
  modes: NamespaceModes,
  joined: JoinedContainers,
  cgroups: CgroupLayout["mode"],
): Namespaces {
  return [
    { type: "mount" },
    ...namespace("network", "net", modes.network, joined.network),
    ...namespace("uts", "uts", modes.uts, undefined),
    ...namespace("pid", "pid", modes.pid, joined.pid),
    ...namespace("ipc", "ipc", modes.ipc, joined.ipc),
    ...(cgroupNamespace(spec, cgroups) === "private" ? [{ type: "cgroup" as const }] : []),
  ];
}

/** Version 2 alone makes the container's own cgroup look like the root; with version 1 the host's view is what images expect. */
export function cgroupNamespace(spec: ContainerSpec, cgroups: CgroupLayout["mode"]): "private" | "host" {
  return spec.cgroupnsMode ?? (cgroups === "v2" ? "private" : "host");
}

function namespace(type: NamespaceType, file: string, mode: Mode, joined: JoinedContainer | undefined): Namespaces {
  if (mode.kind === "host") return [];
  if (mode.kind === "own") return [{ type }];
  if (joined !== undefined && joined.pid > 0) return [{ type, path: `/proc/${joined.pid}/ns/${file}` }];
  throw new GalleyError("failed_precondition", `cannot join ${type} namespace of a non running container`, {
    subject: mode.container,
    hint: "start that container first",
  });
}
