/** Dockerfile instructions on an image's configuration, as `commit --change` and `import --change` take them. */
import { posix } from "node:path";
import { GalleyError } from "../../errors.ts";
import type { ImageExecConfig } from "../../spec/image.ts";
import { splitWords } from "./words.ts";

type Config = { -readonly [Key in keyof ImageExecConfig]: ImageExecConfig[Key] };
type Apply = (config: Config, text: string) => void;

const instructions: Readonly<Record<string, Apply>> = {
  CMD(config, text) {
    config.Cmd = commandOf(text);
  },
  ENTRYPOINT(config, text) {
    config.Entrypoint = commandOf(text);
  },
  ENV(config, text) {
    config.Env = withVariables(config.Env ?? [], pairsOf(text, "ENV"));
  },
  LABEL(config, text) {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairsOf(text, "LABEL")) };
  },
  EXPOSE(config, text) {
    const words = splitWords(text);
    const wrong = words.find((port) => !/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/.test(port));
    if (wrong !== undefined) throw refused(`"${wrong}" is no port`, "EXPOSE 80/tcp");
    const ports = words.map((port) => (port.includes("/") ? port : `${port}/tcp`));
    config.ExposedPorts = { ...config.ExposedPorts, ...emptyObjects(ports) };
  },
  ONBUILD(config, text) {
    config.OnBuild = [...(config.OnBuild ?? []), text];
  },
  STOPSIGNAL(config, text) {
    config.StopSignal = oneWord(text, "STOPSIGNAL");
  },
  USER(config, text) {
    config.User = oneWord(text, "USER");
  },
  VOLUME(config, text) {
    config.Volumes = { ...config.Volumes, ...emptyObjects(jsonList(text) ?? splitWords(text)) };
  },
  WORKDIR(config, text) {
    config.WorkingDir = posix.resolve("/", config.WorkingDir ?? "/", splitWords(text).join(" "));
  },
};

/** The configuration after the instructions. `invalid_argument` where one is none, in docker's words. */
export function applyChanges(config: ImageExecConfig, changes: readonly string[]): ImageExecConfig {
  const changed: Config = { ...config };
  for (const line of changes) {
    const [, word = "", text = ""] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(line) ?? [];
    const apply = Object.hasOwn(instructions, word.toUpperCase()) ? instructions[word.toUpperCase()] : undefined;
    if (apply === undefined) {
      throw refused(`${word || "an empty line"} is not a valid change command`, Object.keys(instructions).join(", "));
    }
    if (text === "") throw refused(`${word.toUpperCase()} requires at least one argument`, `${word} VALUE`);
    apply(changed, text);
  }
  return changed;
}

function refused(message: string, hint: string): GalleyError {
  return new GalleyError("invalid_argument", message, { hint: `use ${hint}` });
}

/** `["program", "argument"]`, or a line for the shell. */
function commandOf(text: string): readonly string[] {
  return jsonList(text) ?? ["/bin/sh", "-c", text];
}

function jsonList(text: string): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((item) => typeof item === "string") ? (list as string[]) : undefined;
  } catch {
    return undefined;
  }
}

/** `A=b C="d e"`, or the old form `A b c`. */
function pairsOf(text: string, instruction: string): readonly (readonly [string, string])[] {
  const old = /^([^\s="']+)\s+(.*)$/s.exec(text);
  if (old !== null) return [[old[1] ?? "", old[2] ?? ""]];
  return splitWords(text).map((word) => {
    const equals = word.indexOf("=");
    if (equals <= 0) throw refused(`"${word}" has no name and value`, `${instruction} NAME=value`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

/** A variable that is there keeps its place. */
function withVariables(env: readonly string[], pairs: readonly (readonly [string, string])[]): readonly string[] {
  const variables = new Map(env.map((entry) => [entry.split("=", 1)[0] ?? "", entry]));
  for (const [name, value] of pairs) variables.set(name, `${name}=${value}`);
  return [...variables.values()];
}

function oneWord(text: string, instruction: string): string {
  const [word, ...more] = splitWords(text);
  if (word === undefined || more.length > 0)
    throw refused(`${instruction} requires exactly one argument`, `${instruction} VALUE`);
  return word;
}

function emptyObjects(names: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
