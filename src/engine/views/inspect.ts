import type { CgroupLayout } from "../../linux/cgroups/detect.ts";
import type { ImageExecConfig } from "../../spec/image.ts";
import { cgroupNamespace } from "../bundle/namespaces.ts";
import type { Container } from "../types.ts";
import { containerConfig } from "./container-config.ts";
import { hostConfig } from "./inspect-host-config.ts";
import { mountPoints } from "./inspect-mounts.ts";
import { networkSettings } from "./inspect-network.ts";

/** What `inspect` tells of a container beyond what it is. Paths are the host's. */
export interface InspectInput {
  readonly container: Container;
  /** Of the image that it was made from; absent where that is gone. */
  readonly image?: ImageExecConfig;
  /** The name that the container sees as its host's. */
  readonly hostname: string;
  readonly cgroups: CgroupLayout["mode"];
  readonly files: { readonly resolvConf: string; readonly hostname: string; readonly hosts: string };
  /** What its root is made of, `lower` topmost first. */
  readonly root: { readonly lower: readonly string[]; readonly upper: string; readonly work: string };
  /** Bytes of what it wrote, and of all its files. */
  readonly size?: { readonly written: number; readonly whole: number };
}

/** docker's container inspect document (API 1.51), in docker's order of fields. */
export function inspectContainer(input: InspectInput): Record<string, unknown> {
  const { container, files, size } = input;
  const { resolved } = container;
  return {
    Id: container.id,
    Created: container.created,
    Path: resolved.path,
    Args: resolved.args,
    State: stateOf(container),
    Image: container.imageId,
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: container.logPath,
    Name: `/${container.name}`,
    RestartCount: container.restartCount,
    Driver: "overlay2",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: hostConfig(container.spec, cgroupNamespace(container.spec, input.cgroups)),
    GraphDriver: graphDriver(input),
    ...(size === undefined ? {} : { SizeRw: size.written, SizeRootFs: size.whole }),
    Mounts: mountPoints(container),
    Config: { ...containerConfig(container.spec, container.resolved, input.image), Hostname: input.hostname },
    NetworkSettings: networkSettings(container),
  };
}

function stateOf(container: Container): Record<string, unknown> {
  const { state } = container;
  return {
    Status: state,
    Running: state === "running" || state === "paused" || state === "restarting",
    Paused: state === "paused",
    Restarting: state === "restarting",
    OOMKilled: container.oomKilled,
    Dead: state === "dead",
    Pid: container.pid,
    ExitCode: container.exitCode,
    Error: container.error,
    StartedAt: container.startedAt,
    FinishedAt: container.finishedAt,
  };
}

/** The merged tree is mounted in the container alone: there is a path to it while the container runs. */
function graphDriver({ container: { id, pid }, root }: InspectInput): Record<string, unknown> {
  return {
    Data: {
      ID: id,
      LowerDir: root.lower.join(":"),
      MergedDir: pid > 0 ? `/proc/${pid}/root` : "",
      UpperDir: root.upper,
      WorkDir: root.work,
    },
    Name: "overlay2",
  };
}
