/** What a failed hook means, in runc's words. */
import { GalleyError } from "../../errors.ts";
import { errno, errnoText } from "../../linux/errno.ts";
import { signalText } from "../../linux/signal-text.ts";
import type { HookNote } from "../../recipe/hook-note.ts";
import type { HookConfig } from "../../spec/runtime.ts";

/** A hook by its place in the configuration. */
export interface HookPlace {
  readonly kind: string;
  readonly index: number;
}

/** How a program ended, or why there was none: an error number, `late` for one that took too long. */
export type HookEnd = { readonly status: number } | { readonly errno: number } | "late";

/** `hooks.KIND[INDEX]`, as causes of steps have it. */
export function placeOfHook(cause: string): HookPlace | undefined {
  const [, kind, index] = /^hooks\.(\w+)\[(\d+)\]$/.exec(cause) ?? [];
  return kind === undefined ? undefined : { kind, index: Number(index) };
}

/** The sentence. `status` is as wait4(2) gives it. */
export function hookSentence(
  place: HookPlace,
  hook: HookConfig,
  end: HookEnd,
  said?: Omit<HookNote, "status">,
): string {
  const words = `error running ${place.kind} hook #${place.index}: `;
  if (end === "late") return `${words}hook ran past specified timeout of ${(hook.timeout ?? 0).toFixed(1)}s`;
  if ("errno" in end) return `${words}fork/exec ${hook.path}: ${errnoText(end.errno).toLowerCase()}`;
  return `${words}${ended(end.status)}, stdout: ${said?.stdout.trim() ?? ""}, stderr: ${said?.stderr.trim() ?? ""}`;
}

/** The end that a `run_hook` step failed with. */
export function endOfStep(error: number, note: HookNote | undefined): HookEnd {
  if (error === errno.ETIMEDOUT) return "late";
  return error === errno.ECHILD && note !== undefined ? { status: note.status } : { errno: error };
}

/** The failure as an error whose hint is the field. */
export function hookError(place: HookPlace, sentence: string, cause?: unknown): GalleyError {
  return new GalleyError("failed_precondition", sentence, { hint: `hooks.${place.kind}[${place.index}]`, cause });
}

function ended(status: number): string {
  const signal = status & 0x7f;
  if (signal === 0) return `exit status ${(status >> 8) & 0xff}`;
  return `signal: ${signalText(signal)}${(status & 0x80) === 0 ? "" : " (core dumped)"}`;
}
