/**
 * Hooks that are run where the container's process will be (runtime-spec config.md, "POSIX-platform Hooks"): steps of the process itself,
 * under whatever holds for it by then. Hooks of the runtime's own namespaces are run by who starts the recipe.
 */
import { stringList } from "../recipe/encode.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { HookConfig, HooksConfig, RuntimeConfig } from "../spec/runtime.ts";
import { slot } from "./slots.ts";
import { pidPlaces, type ToldState, toldState } from "./told-state.ts";
import type { Self } from "./types.ts";

const SECOND = 1000;

/** Whether hooks are run before the root is entered, which find the process in its cgroup and its root at the place of the bundle's. */
export function hasEarlyHooks(config: RuntimeConfig): boolean {
  return hasHooks(config, "prestart", "createRuntime", "createContainer");
}

/** Whether there is any hook of these kinds. */
export function hasHooks({ hooks = {} }: RuntimeConfig, ...kinds: readonly (keyof HooksConfig)[]): boolean {
  return kinds.some((kind) => (hooks[kind] ?? []).length > 0);
}

/** In the container's namespaces, its root mounted and not yet entered: the working directory is the root, as in runc. */
export function createContainerHooks(config: RuntimeConfig, self: Self | undefined): Step[] {
  const list = config.hooks?.createContainer ?? [];
  if (list.length === 0 || self === undefined) return [];
  const cause = "hooks.createContainer";
  return [
    step("fchdir", [slot.root], { cause }),
    step("umask", [0o022], { cause }),
    ...list.map((hook, index) => run(hook, `${cause}[${index}]`, toldState(config, self, "creating"), [])),
    step("umask", [0], { cause }),
  ];
}

/** Last of all, as the process's user and behind its filter; one without an environment of its own has the process's. */
export function startContainerHooks(config: RuntimeConfig, self: Self | undefined): Step[] {
  if (self === undefined) return [];
  const told = toldState(config, self, "created");
  return (config.hooks?.startContainer ?? []).map((hook, index) =>
    run(hook, `hooks.startContainer[${index}]`, told, config.process?.env ?? []),
  );
}

function run(hook: HookConfig, cause: string, told: Partial<ToldState>, usualEnv: readonly string[]): Step {
  const { path, args = [], env = [], timeout = 0 } = hook;
  const { message, places } = pidPlaces(JSON.stringify(told));
  const argv = stringList(args.length === 0 ? [path] : args);
  const envp = stringList(env.length === 0 ? usualEnv : env);
  return step("run_hook", [path, argv, envp, message, places[0], Math.round(timeout * SECOND)], { cause });
}
