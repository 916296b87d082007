/** Steps of a container that another program manages. See docs/runtime.md. */
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import { utf8 } from "./bytes.ts";
import { flag, point, slot } from "./slots.ts";
import type { Managed, ManagedStart } from "./types.ts";

/** Outside, once the process is there: who it is, to who wants to know. */
export function announce({ identity, pidfdSocket }: Managed = {}): Step[] {
  const steps: Step[] = [];
  if (identity !== undefined) steps.push(step("write_identity", [identity], { cause: "state of the container" }));
  if (pidfdSocket !== undefined) {
    const cause = `--pidfd-socket ${pidfdSocket}`;
    steps.push(step("send_console", [pidfdSocket, slot.pidfd], { cause }));
  }
  return steps;
}

/** Both ends of a fifo: whoever holds it is its reader and its writer. */
export function openGate({ gate }: ManagedStart = {}): Step[] {
  if (gate === undefined) return [];
  return [step("openat", [CWD, gate, flag.O_RDWR | flag.O_CLOEXEC, 0], { out: slot.gate, cause: "create" })];
}

/** Inside, when nothing is left but to execute the command. */
export function waitAtGate({ gate }: ManagedStart = {}): Step[] {
  if (gate === undefined) return [];
  return [step("signal", [point.created], { cause: "created" }), step("await_start", [slot.gate], { cause: "start" })];
}

/** Outside, last of all. */
export function awaitCreated({ gate }: ManagedStart = {}): Step[] {
  return gate === undefined ? [] : [step("wait", [point.created], { cause: "created" })];
}

/** What the caller writes into {@link ManagedStart.hooks} when the hooks have run. */
export const hooksDone = "done\n";

/** Milliseconds: hooks have timeouts of their own, or none. */
const DAY = 86_400_000;

/** Inside, when everything is mounted. */
export function announceMounts({ hooks }: ManagedStart = {}): Step[] {
  return hooks === undefined ? [] : [step("signal", [point.mounted], { cause: "hooks" })];
}

/** Outside, before the inside goes on to enter its root. */
export function awaitHooks({ hooks }: ManagedStart = {}): Step[] {
  if (hooks === undefined) return [];
  return [
    step("wait", [point.mounted], { cause: "hooks" }),
    step("openat", [CWD, hooks.ready, flag.O_WRONLY | flag.O_CREAT | flag.O_CLOEXEC, 0o600], { cause: "hooks" }),
    step("await_file", [CWD, hooks.done, utf8(hooksDone), DAY], { cause: "hooks" }),
  ];
}
