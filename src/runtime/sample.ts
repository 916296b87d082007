/** A small container, machines of each kind to start it on, and recipes as lines of text: for the tests beside this file. */
import { GalleyError } from "../errors.ts";
import type { CgroupLayout, Hierarchy } from "../linux/cgroups/detect.ts";
import { describeStep } from "../recipe/describe.ts";
import type { Recipe, SectionName } from "../recipe/recipe.ts";
import type { LinuxConfig, ProcessConfig, RuntimeConfig } from "../spec/runtime.ts";
import { compileExec } from "./compile-exec.ts";
import { compileStart } from "./compile-start.ts";
import type { HostFacts } from "./host.ts";
import type { ExecInput, ShimPart, StartInput } from "./types.ts";

const hierarchy = (mountPoint: string, ...controllers: string[]): Hierarchy => ({
  mountPoint,
  controllers,
  root: "/",
  self: "/",
});

const legacy = [
  hierarchy("/cg/systemd", "name=systemd"),
  hierarchy("/cg/cpu,cpuacct", "cpu", "cpuacct"),
  hierarchy("/cg/memory", "memory"),
  hierarchy("/cg/freezer", "freezer"),
  hierarchy("/cg/devices", "devices"),
];
const machine = (cgroups: CgroupLayout): HostFacts => ({
  cgroups,
  overlay: { layerByLayer: true },
  mountAround: () => "/around",
});

export const machines = {
  v1: machine({ mode: "v1", v1: legacy }),
  hybrid: machine({ mode: "hybrid", v1: legacy, v2: hierarchy("/cg/unified") }),
  v2: machine({ mode: "v2", v1: [], v2: hierarchy("/cg", "memory", "pids") }),
} as const;

export const shell: ProcessConfig = { args: ["sh"], cwd: "/", user: { uid: 0, gid: 0 } };

const base: RuntimeConfig = {
  ociVersion: "1.3.0",
  process: shell,
  root: { path: "/r" },
  linux: { cgroupsPath: "/galley/c1", namespaces: [{ type: "mount" }, { type: "pid" }, { type: "uts" }] },
};

export type ConfigPart = Omit<Partial<RuntimeConfig>, "process" | "linux"> & {
  readonly process?: Partial<ProcessConfig>;
  readonly linux?: Partial<LinuxConfig>;
};

/** The small container's configuration with parts of it replaced. */
export function configWith({ process, linux, ...rest }: ConfigPart = {}): RuntimeConfig {
  return { ...base, ...rest, process: { ...shell, ...process }, linux: { ...base.linux, ...linux } };
}

const shim: ShimPart = {
  stdinOnce: false,
  socketPath: "/s",
  statusPath: "/t",
  timingsPath: "/u",
  restart: { policy: "no", maxRetries: 0 },
};

/** The recipe of the small container's start. */
export function start(part: ConfigPart = {}, facts: HostFacts = machines.v2, more: Partial<StartInput> = {}): Recipe {
  const root = { kind: "directory", path: "/r" } as const;
  return compileStart({ config: configWith(part), root, mountPoint: "/m", openStdin: false, shim, ...more }, facts);
}

/** The recipe of an exec in the small container. */
export function exec(
  process: Partial<ProcessConfig> = {},
  part: ConfigPart = {},
  facts: HostFacts = machines.v2,
): Recipe {
  const input: ExecInput = {
    process: { ...shell, ...process },
    config: configWith(part),
    init: { pid: 7, startTime: 8 },
    openStdin: false,
    shim,
  };
  return compileExec(input, facts);
}

/** A section's steps as lines. */
export function lines(recipe: Recipe, section: SectionName = "inside"): string[] {
  return (recipe.sections[section] ?? []).map(describeStep);
}

/** The lines of the steps whose cause begins with a word. */
export function linesOf(recipe: Recipe, cause: string, section: SectionName = "inside"): string[] {
  return (recipe.sections[section] ?? []).filter((one) => one.cause.startsWith(cause)).map(describeStep);
}

/** Whether the steps that match the words come in this order, each after the one before. */
export function inOrder(all: readonly string[], ...words: readonly string[]): boolean {
  let at = -1;
  for (const word of words) {
    at = all.findIndex((line, index) => index > at && line.includes(word));
    if (at < 0) throw new Error(`no "${word}" in its place in:\n${all.join("\n")}`);
  }
  return true;
}

/** `code subject: message` of what a call throws. */
export function failure(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof GalleyError) return `${error.code} ${error.subject ?? ""}: ${error.message}`;
    throw error;
  }
  throw new Error("nothing was thrown");
}
