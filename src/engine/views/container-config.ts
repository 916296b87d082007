import type { ImageExecConfig } from "../../spec/image.ts";
import type { ContainerSpec, ResolvedProcess } from "../types.ts";

/**
 * docker's Config of a container: what it was asked for, merged with its image's. Fields in docker's order; the host's name is set
 * by whoever knows it.
 */
export function containerConfig(
  spec: ContainerSpec,
  resolved: ResolvedProcess,
  image: ImageExecConfig = {},
): Record<string, unknown> {
  const exposed = [
    ...(spec.exposed ?? []),
    ...(spec.ports ?? []).map((port) => `${port.containerPort}/${port.protocol}`),
  ];
  const anonymous = (spec.mounts ?? []).filter(({ type, source }) => type === "volume" && source === undefined);
  const volumes = [...anonymous.map(({ target }) => target), ...Object.keys(image.Volumes ?? {})];
  const command = spec.command ?? (spec.entrypoint === undefined ? image.Cmd : undefined);
  const { attach = [] } = spec;
  const healthcheck = spec.noHealthcheck === true ? { Test: ["NONE"] } : image.Healthcheck;
  return {
    Hostname: "",
    Domainname: spec.domainname ?? "",
    User: resolved.user,
    AttachStdin: attach.includes("stdin"),
    AttachStdout: attach.includes("stdout"),
    AttachStderr: attach.includes("stderr"),
    ...(exposed.length === 0 ? {} : { ExposedPorts: emptyObjects(exposed) }),
    Tty: spec.tty === true,
    OpenStdin: spec.openStdin === true,
    StdinOnce: spec.stdinOnce === true,
    Env: resolved.env,
    Cmd: command ?? null,
    ...(healthcheck === undefined ? {} : { Healthcheck: healthcheck }),
    Image: spec.image,
    Volumes: volumes.length === 0 ? null : emptyObjects(volumes),
    WorkingDir: resolved.workingDir,
    Entrypoint: spec.entrypoint ?? image.Entrypoint ?? null,
    ...(spec.macAddress === undefined ? {} : { MacAddress: spec.macAddress }),
    OnBuild: image.OnBuild ?? null,
    Labels: spec.labels ?? {},
    ...(resolved.stopSignal === "" ? {} : { StopSignal: resolved.stopSignal }),
    ...(spec.stopTimeout === undefined ? {} : { StopTimeout: spec.stopTimeout }),
    ...(image.Shell ? { Shell: image.Shell } : {}),
  };
}

function emptyObjects(names: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(names.toSorted().map((name) => [name, {}]));
}
