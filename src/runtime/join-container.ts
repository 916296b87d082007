/** How a process comes to where a running container's processes are. Its pids are joined before, by being born there. */
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig } from "../spec/runtime.ts";
import { cloneFlags } from "./namespaces.ts";
import { flag, slot } from "./slots.ts";

const ROOT = { cause: "root" };

/** Outside, behind the check of the container's first process: its root, where its mount namespace, being the host's, has another. */
export function openSharedRoot(linux: LinuxConfig, pid: number): Step[] {
  if (!sharesMounts(linux)) return [];
  const flags = flag.O_PATH | flag.O_DIRECTORY | flag.O_CLOEXEC;
  return [step("openat", [CWD, `/proc/${pid}/root`, flags, 0], { out: slot.root, ...ROOT })];
}

/**
 * Inside: every namespace that the configuration names, its own or joined, by a pidfd of the first process, which is in it; and the root
 * that was opened.
 */
export function joinContainer(container: string, linux: LinuxConfig): Step[] {
  const types = (linux.namespaces ?? []).map(({ type }) => type).filter((type) => type !== "pid");
  const flags = types.reduce((sum, type) => sum | cloneFlags[type], 0);
  return [
    ...(flags === 0 ? [] : [step("setns", [container, flags], { cause: "linux.namespaces" })]),
    ...(sharesMounts(linux) ? [step("fchdir", [slot.root], ROOT), step("chroot", ["."], ROOT)] : []),
  ];
}

function sharesMounts({ namespaces = [] }: LinuxConfig): boolean {
  return !namespaces.some(({ type }) => type === "mount");
}
