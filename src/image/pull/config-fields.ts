import type { ImageConfig, ImageExecConfig } from "../../spec/image.ts";
import { isObject } from "../json-object.ts";

type Shape = "text" | "texts" | "map";

/** What a container's start and its lists read of a configuration (image-spec config.md). */
const shapes: Readonly<Partial<Record<keyof ImageExecConfig, Shape>>> = {
  User: "text",
  WorkingDir: "text",
  StopSignal: "text",
  Env: "texts",
  Entrypoint: "texts",
  Cmd: "texts",
  Shell: "texts",
  OnBuild: "texts",
  Volumes: "map",
  ExposedPorts: "map",
  Labels: "map",
  Healthcheck: "map",
};

const tests: Readonly<Record<Shape, readonly [(value: unknown) => boolean, string]>> = {
  text: [(value) => typeof value === "string", "a string"],
  texts: [(value) => Array.isArray(value) && value.every((one) => typeof one === "string"), "a list of strings"],
  map: [isObject, "an object"],
};

/** The first field of a configuration that is not what it has to be, in words; `null` is a field that is not there, as in Go. */
export function wrongField({ config, history }: Readonly<Record<string, unknown>>): string | undefined {
  if (!isObject(config ?? {})) return "config is not an object";
  if (!Array.isArray(history ?? []) || !((history ?? []) as unknown[]).every(isObject))
    return "history is not a list of objects";
  const fields = (config ?? {}) as Readonly<Record<string, unknown>>;
  for (const [key, shape] of Object.entries(shapes)) {
    const [passes, name] = tests[shape];
    if (!passes(fields[key] ?? { text: "", texts: [], map: {} }[shape])) return `config.${key} is not ${name}`;
  }
  return undefined;
}

/** A configuration that was checked, with nothing where Go's programs write `null`. */
export function withoutNulls({ config, history, rootfs, ...rest }: ImageConfig): ImageConfig {
  return {
    ...rest,
    ...((config ?? undefined) === undefined ? {} : { config }),
    ...((history ?? undefined) === undefined ? {} : { history }),
    rootfs: { ...rootfs, diff_ids: rootfs.diff_ids ?? [] },
  };
}
