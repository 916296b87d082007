import { GalleyError } from "../../errors.ts";
import { parseSignal } from "../../linux/signals.ts";
import type { ImageExecConfig } from "../../spec/image.ts";
import type { ContainerSpec, ResolvedProcess } from "../types.ts";
import { DEFAULT_PATH, hasVariable, mergeEnvironment } from "./environment.ts";

/**
 * What a container runs: image and specification merged. `volumes` is empty: they are made afterwards, see `provideMounts`.
 * Throws `invalid_argument` where there is nothing to run, for a relative working directory and for an unknown signal.
 */
export function resolveProcess(spec: ContainerSpec, image: ImageExecConfig = {}): ResolvedProcess {
  const { path, args } = commandOf(spec, image);
  return {
    path,
    args,
    env: environmentOf(spec, image),
    workingDir: workingDirectory(spec.workingDir || image.WorkingDir || ""),
    user: spec.user || image.User || "",
    stopSignal: stopSignal(spec.stopSignal || image.StopSignal || ""),
    volumes: [],
  };
}

/** An entry point of the user's own leaves the image's command out; a command of the user's own replaces the image's alone. */
function commandOf(spec: ContainerSpec, image: ImageExecConfig): Pick<ResolvedProcess, "path" | "args"> {
  const entrypoint = spec.entrypoint ?? image.Entrypoint ?? [];
  const command = spec.command ?? (spec.entrypoint === undefined ? image.Cmd : undefined) ?? [];
  const [path, ...args] = [...entrypoint, ...command];
  if (path !== undefined) return { path, args };
  throw new GalleyError("invalid_argument", "no command specified", {
    subject: spec.image,
    hint: "the image names none: give one after the image's name",
  });
}

function environmentOf(spec: ContainerSpec, image: ImageExecConfig): readonly string[] {
  const env = mergeEnvironment(image.Env ?? [], spec.env ?? []);
  return hasVariable(env, "PATH") ? env : [...env, `PATH=${DEFAULT_PATH}`];
}

/** As docker makes and shows it: the shortest path that means what was asked for; empty where nothing was. */
function workingDirectory(path: string): string {
  if (path === "") return "";
  if (path.startsWith("/")) return shortest(path);
  throw new GalleyError(
    "invalid_argument",
    `the working directory '${path}' is invalid, it needs to be an absolute path`,
  );
}

function shortest(path: string): string {
  if (!/\/(?:\/|\.|$)/.test(path)) return path;
  // Seldom needed, and loading it takes time.
  const clean = process.getBuiltinModule("node:path").posix.normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

function stopSignal(text: string): string {
  if (text !== "") parseSignal(text);
  return text;
}
