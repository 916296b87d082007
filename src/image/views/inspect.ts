import type { ImageExecConfig } from "../../spec/image.ts";
import type { ImageRecord } from "../types.ts";

/** Where the layers of an image are, as `GraphDriver` tells it. */
export interface DriverFacts {
  readonly name: string;
  /** Directories, topmost first; empty where they are not unpacked. */
  readonly lower: readonly string[];
}

/** docker's `image inspect` object (Engine API 1.51, ImageInspect). */
export function inspectImage(image: ImageRecord, driver: DriverFacts): Record<string, unknown> {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.names,
    RepoDigests: image.digests,
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: image.createdAt,
    DockerVersion: "",
    Author: config.author ?? "",
    Architecture: config.architecture ?? "",
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os ?? "",
    ...(config["os.version"] === undefined ? {} : { OsVersion: config["os.version"] }),
    Size: image.size,
    GraphDriver: { Data: driverData(driver), Name: driver.name },
    RootFS: { Type: "layers", Layers: image.layers },
    Metadata: { LastTagTime: image.taggedAt },
    Descriptor: image.manifest,
    Config: inspectConfig(config.config ?? {}),
  };
}

function driverData({ lower }: DriverFacts): Record<string, string> {
  const [top, ...below] = lower;
  if (top === undefined) return {};
  return { ...(below.length === 0 ? {} : { LowerDir: below.join(":") }), UpperDir: top };
}

/** Fields that docker always shows come first with their empty values; the others appear where they are set. */
function inspectConfig(config: ImageExecConfig): Record<string, unknown> {
  const optional = ["ExposedPorts", "StopSignal", "Healthcheck", "Shell", "ArgsEscaped"] as const;
  return {
    Cmd: config.Cmd ?? null,
    Entrypoint: config.Entrypoint ?? null,
    Env: config.Env ?? null,
    Labels: config.Labels ?? null,
    OnBuild: config.OnBuild ?? null,
    User: config.User ?? "",
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? "",
    ...Object.fromEntries(optional.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]]))),
  };
}
