import { GalleyError } from "../../errors.ts";
import type { ImageExecConfig } from "../../spec/image.ts";

type Change = (config: ImageExecConfig, rest: string) => ImageExecConfig;

/** Instructions that `import` and `commit` take with `--change` (docker-import(1)). */
const instructions: Readonly<Record<string, Change>> = {
  CMD: (config, rest) => ({ ...config, Cmd: command(rest) }),
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: command(rest) }),
  ENV: (config, rest) => ({ ...config, Env: pairs(rest, "ENV").reduce(withVariable, config.Env ?? []) }),
  EXPOSE: (config, rest) => ({
    ...config,
    ExposedPorts: { ...config.ExposedPorts, ...keys(rest.split(/\s+/).map(port)) },
  }),
  LABEL: (config, rest) => ({ ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairs(rest, "LABEL")) } }),
  ONBUILD: (config, rest) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), rest] }),
  STOPSIGNAL: (config, rest) => ({ ...config, StopSignal: rest }),
  USER: (config, rest) => ({ ...config, User: rest }),
  VOLUME: (config, rest) => ({ ...config, Volumes: { ...config.Volumes, ...keys(array(rest) ?? rest.split(/\s+/)) } }),
  WORKDIR: (config, rest) => ({ ...config, WorkingDir: rest }),
};

/** The configuration that the instructions make of an empty one, or of `from`. */
export function applyChanges(changes: readonly string[], from: ImageExecConfig = {}): ImageExecConfig {
  return changes.reduce((config, change) => {
    const match = /^\s*([A-Za-z]+)\s+([\s\S]*?)\s*$/.exec(change);
    const apply = instructions[match?.[1]?.toUpperCase() ?? ""];
    if (apply !== undefined) return apply(config, match?.[2] ?? "");
    throw invalid(`${JSON.stringify(change)} is not one of ${Object.keys(instructions).join(", ")} with its value`);
  }, from);
}

function invalid(message: string): GalleyError {
  return new GalleyError("invalid_argument", message, { op: "change image" });
}

/** The JSON form of an instruction, or `undefined`. */
function array(text: string): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : undefined;
  } catch {
    return undefined; // Docker takes what is no JSON for a shell command.
  }
}

function command(text: string): readonly string[] {
  return array(text) ?? ["/bin/sh", "-c", text];
}

/** `a=b "c d"=e`, or the old `name the rest`. */
function pairs(text: string, instruction: string): readonly (readonly [string, string])[] {
  const words = [...text.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g)].map(([word]) => word);
  if (!(words[0] ?? "").includes("=")) {
    const old = /^(\S+)\s+([\s\S]+)$/.exec(text);
    if (old === null) throw invalid(`${instruction} takes name=value`);
    return [[old[1] ?? "", old[2] ?? ""]];
  }
  return words.map((word) => {
    const plain = word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g, (_, double, single, escaped) =>
      double !== undefined ? double.replace(/\\(.)/g, "$1") : (single ?? escaped),
    );
    const at = plain.indexOf("=");
    if (at <= 0) throw invalid(`${instruction} takes name=value, and ${JSON.stringify(word)} is none`);
    return [plain.slice(0, at), plain.slice(at + 1)] as const;
  });
}

function withVariable(env: readonly string[], [name, value]: readonly [string, string]): readonly string[] {
  return [...env.filter((one) => !one.startsWith(`${name}=`)), `${name}=${value}`];
}

function port(text: string): string {
  if (!/^\d+(-\d+)?(\/(tcp|udp|sctp))?$/i.test(text)) throw invalid(`${JSON.stringify(text)} is not a port`);
  return text.includes("/") ? text.toLowerCase() : `${text}/tcp`;
}

function keys(names: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
