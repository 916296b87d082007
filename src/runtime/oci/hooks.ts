/**
 * Hooks of the runtime's own namespaces (runtime-spec config.md, "POSIX-platform Hooks"): programs that are told the container's state on their
 * standard input. Those of the container's namespaces are steps: see ../hooks.ts.
 */
import { readFileSync } from "node:fs";
import { parseSignal } from "../../linux/signals.ts";
import type { HookConfig, HooksConfig, RuntimeConfig } from "../../spec/runtime.ts";
import { type HookEnd, type HookPlace, hookError, hookSentence } from "./hook-failure.ts";
import type { Status, StoredState } from "./state.ts";

export type HostHookKind = Exclude<keyof HooksConfig, "createContainer" | "startContainer">;

/** Whom hooks are run for. */
export interface HookScene {
  readonly config: RuntimeConfig;
  readonly state: StoredState;
  readonly status: Status;
}

/** Runs the hooks of a kind, one after the other. The first that fails is thrown, with the field and what it wrote. */
export async function runHooks(kind: HostHookKind, scene: HookScene): Promise<void> {
  for (const [index, hook] of (scene.config.hooks?.[kind] ?? []).entries()) await runHook({ kind, index }, hook, scene);
}

/** Runs all hooks of a kind, whatever becomes of them; returns what failed, in sentences. */
export async function tryHooks(kind: HostHookKind, scene: HookScene): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const [index, hook] of (scene.config.hooks?.[kind] ?? []).entries()) {
    await runHook({ kind, index }, hook, scene).catch((failure: Error) => failed.push(failure.message));
  }
  return failed;
}

async function runHook(place: HookPlace, hook: HookConfig, scene: HookScene): Promise<void> {
  const child = start(place, hook, scene);
  const streams = [child.stdout.getReader(), child.stderr.getReader()] as const;
  let late = false;
  const expire = (): void => {
    late = true;
    killWithChildren(child.pid);
    // What it leaves behind may hold its streams for ever.
    for (const stream of streams) stream.cancel().catch(() => {});
  };
  const timer = hook.timeout === undefined ? undefined : setTimeout(expire, hook.timeout * 1000);
  const [stdout, stderr] = await Promise.all([textOf(streams[0]), textOf(streams[1])]);
  await child.exited;
  clearTimeout(timer);
  const end: HookEnd = late ? "late" : { status: statusOf(child) };
  if (end === "late" || end.status !== 0) throw hookError(place, hookSentence(place, hook, end, { stdout, stderr }));
}

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

async function textOf(stream: Reader): Promise<string> {
  const parts: Uint8Array[] = [];
  for (let part = await stream.read(); part.value !== undefined; part = await stream.read()) parts.push(part.value);
  return Buffer.concat(parts).toString("utf8");
}

function killWithChildren(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  for (const one of [...children, pid]) process.kill(one, "SIGKILL");
}

/** As wait4(2) gives it. */
function statusOf({ exitCode, signalCode }: Bun.Subprocess): number {
  return signalCode === null ? (exitCode ?? 0) << 8 : parseSignal(String(signalCode));
}

/** Its environment is what the configuration says, and nothing else. */
function start(place: HookPlace, { path, args = [], env = [] }: HookConfig, scene: HookScene) {
  const variables = env.map((text) => [text.split("=", 1)[0] ?? "", text.slice(text.indexOf("=") + 1)]);
  try {
    return Bun.spawn([path, ...args.slice(1)], {
      argv0: args[0] ?? path,
      env: Object.fromEntries(variables) as Record<string, string>,
      cwd: scene.state.bundle,
      stdio: [Buffer.from(stateText(scene)), "pipe", "pipe"],
    });
  } catch (cause) {
    const { errno = 0 } = cause as { errno?: number };
    throw hookError(place, hookSentence(place, { path }, { errno: Math.abs(errno) }), cause);
  }
}

function stateText({ state, status }: HookScene): string {
  const { ociVersion, id, pid, bundle, annotations } = state;
  return JSON.stringify({ ociVersion, id, status, ...(status === "stopped" ? {} : { pid }), bundle, annotations });
}
