/** Hooks (runtime-spec config.md, "POSIX-platform Hooks"): programs that are told the container's state on their standard input. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { encode, stringList } from "../../recipe/encode.ts";
import { NONE } from "../../recipe/ops.ts";
import { type Recipe, step } from "../../recipe/recipe.ts";
import type { HookConfig, HooksConfig, RuntimeConfig } from "../../spec/runtime.ts";
import { cloneFlags } from "../namespaces.ts";
import { slot } from "../slots.ts";
import type { Status, StoredState } from "./state.ts";

export type HookKind = keyof HooksConfig;

/** Whom hooks are run for. */
export interface HookScene {
  readonly config: RuntimeConfig;
  readonly state: StoredState;
  readonly status: Status;
  /** Path of the native program, which enters the container's namespaces for the kinds that are run in them. */
  readonly native: string;
}

/** Where a hook is configured, and runc's words for its failure. */
interface Field {
  readonly kind: HookKind;
  readonly name: string;
  readonly said: string;
}

const CONTAINER = "container";

/** Kinds that are run in the container's namespaces; all others are run in the runtime's. */
const within: readonly HookKind[] = ["createContainer", "startContainer"];

/** Runs the hooks of a kind, one after the other. The first that fails is thrown, with the field and what it wrote. */
export async function runHooks(kind: HookKind, scene: HookScene): Promise<void> {
  for (const [index, hook] of (scene.config.hooks?.[kind] ?? []).entries()) {
    const field: Field = { kind, name: `hooks.${kind}[${index}]`, said: `error running ${kind} hook #${index}` };
    if (within.includes(kind)) await runWithin(hook, field, scene);
    else await runProgram([hook.path, ...argumentsOf(hook)], hook, field, scene, hook.args?.[0] ?? hook.path);
  }
}

/** Whether a start has to wait for hooks. */
export function hasEarlyHooks({ hooks = {} }: RuntimeConfig): boolean {
  const early: readonly HookKind[] = ["prestart", "createRuntime", "createContainer"];
  return early.some((kind) => (hooks[kind] ?? []).length > 0);
}

/** A hook that is run where the process will be has its environment where it says nothing of its own. */
function environmentOf({ env }: HookConfig, kind: HookKind, { process }: RuntimeConfig): readonly string[] {
  return env ?? (kind === "startContainer" ? process?.env : undefined) ?? [];
}

function argumentsOf({ args = [] }: HookConfig): readonly string[] {
  return args.slice(1);
}

/** The native program enters the namespaces for the hook, and ends as it ends. */
async function runWithin(hook: HookConfig, field: Field, scene: HookScene): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "galley-hook-"));
  try {
    const recipe = join(folder, "recipe");
    writeFileSync(recipe, encode(recipeWithin(hook, field, scene)), { mode: 0o600 });
    // The report goes nowhere: standard output is the hook's.
    await runProgram([scene.native, "run", "--await-end", recipe, "3"], hook, field, scene, scene.native);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A pid namespace is entered by being born there. */
function recipeWithin(hook: HookConfig, { kind, name: cause }: Field, { config, state }: HookScene): Recipe {
  const types = (config.linux?.namespaces ?? []).map(({ type }) => type).filter((type) => type !== "time");
  const flags = types.filter((type) => type !== "pid").reduce((sum, type) => sum | cloneFlags[type], 0);
  const container = { out: CONTAINER, cause };
  return {
    sections: {
      outside: [
        step("open_pid", [state.pid, Number(state.startTime)], container),
        ...(types.includes("pid") ? [step("setns", [CONTAINER, cloneFlags.pid], { cause })] : []),
        step("clone", [0, NONE, 1], { out: slot.pidfd, cause }),
      ],
      inside: [
        step("setns", [CONTAINER, flags], { cause }),
        step(
          "exec",
          [stringList([hook.path, ...argumentsOf(hook)]), stringList(environmentOf(hook, kind, config)), ""],
          {
            cause,
          },
        ),
      ],
    },
  };
}

async function runProgram(
  command: readonly string[],
  { env = [], timeout }: HookConfig,
  field: Field,
  scene: HookScene,
  argv0: string,
): Promise<void> {
  const child = start(command, env, field, scene, argv0);
  const timer = timeout === undefined ? undefined : setTimeout(() => killAll(child.pid), timeout * 1000);
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const status = await child.exited;
  clearTimeout(timer);
  if (status === 0) return;
  const late = timeout !== undefined && (child.signalCode === "SIGKILL" || status === 137);
  const why = late ? `hook ran past specified timeout of ${timeout.toFixed(1)}s` : `exit status ${status}`;
  const said = `, stdout: ${stdout.trim()}, stderr: ${stderr.trim()}`;
  throw new GalleyError("failed_precondition", `${field.said}: ${why}${said}`, { hint: field.name });
}

/** Its environment is what the configuration says, and nothing else. */
function start(command: readonly string[], env: readonly string[], field: Field, scene: HookScene, argv0: string) {
  const variables = env.map((text) => [text.split("=", 1)[0] ?? "", text.slice(text.indexOf("=") + 1)]);
  try {
    return Bun.spawn([...command], {
      argv0,
      env: Object.fromEntries(variables) as Record<string, string>,
      cwd: scene.state.bundle,
      stdio: [Buffer.from(stateText(scene)), "pipe", "pipe", "ignore"],
    });
  } catch (cause) {
    throw new GalleyError("failed_precondition", field.said, { hint: field.name, cause });
  }
}

/** The hook, and the program that waits for it. */
function killAll(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  for (const one of [...children, pid]) process.kill(one, "SIGKILL");
}

function stateText({ state, status }: HookScene): string {
  const { ociVersion, id, pid, bundle, annotations } = state;
  return JSON.stringify({ ociVersion, id, status, pid: status === "stopped" ? 0 : pid, bundle, annotations });
}
