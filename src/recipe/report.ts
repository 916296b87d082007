import { GalleyError } from "../errors.ts";
import { type HookNote, parseHookNote } from "./hook-note.ts";
import { sectionNames } from "./ops.ts";
import type { SectionName } from "./recipe.ts";

/** Start and end of a step in nanoseconds after the recipe began; undefined where it did not run. */
export type StepTiming = { readonly start: number; readonly end: number } | undefined;

/** Which step failed, and how. `step` counts from 0 in its section. */
export interface StepFailure {
  readonly section: SectionName;
  readonly step: number;
  readonly errno: number;
  /** Of a `run_hook` or `map_ids` step. */
  readonly note?: HookNote;
}

/** What the native program says once a recipe has run or failed. See docs/recipes.md, "The native program". */
export interface Report {
  readonly failure: StepFailure | undefined;
  /** The inside actor's pid in the caller's pid namespace; 0 where there was none. */
  readonly pid: number;
  /** Its start time in clock ticks since boot. */
  readonly startTime: bigint;
  readonly timings: Readonly<Record<"outside" | "inside", readonly StepTiming[]>>;
}

const MAGIC = 0x53594c47; // "GLYS"
const HEADER_SIZE = 48;

/** Reads a report of a recipe whose outside section has `outsideSteps` steps. Fails with `internal` on anything else. */
export function parseReport(bytes: Uint8Array, outsideSteps: number): Report {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_SIZE || view.getUint32(0, true) !== MAGIC) throw noReport(bytes);
  const end = bytes.length - view.getUint32(28, true);
  return {
    failure: view.getUint32(8, true) === 0 ? undefined : failure(view, bytes.subarray(Math.max(end, 0))),
    pid: view.getInt32(24, true),
    startTime: view.getBigUint64(40, true),
    // Few ask.
    get timings() {
      return timingsIn(view, end, outsideSteps);
    },
  };
}

function timingsIn(view: DataView, end: number, outsideSteps: number): Report["timings"] {
  const all: StepTiming[] = [];
  for (let at = HEADER_SIZE; at + 16 <= end; at += 16) all.push(timing(view, at));
  return { outside: all.slice(0, outsideSteps), inside: all.slice(outsideSteps) };
}

function failure(view: DataView, rest: Uint8Array): StepFailure {
  const section = sectionNames[view.getUint32(12, true)] ?? "outside";
  const note = parseHookNote(rest);
  const failed = { section, step: view.getUint32(16, true), errno: view.getInt32(20, true) };
  return note === undefined ? failed : { ...failed, note };
}

function timing(view: DataView, at: number): StepTiming {
  const end = Number(view.getBigUint64(at + 8, true));
  return end === 0 ? undefined : { start: Number(view.getBigUint64(at, true)), end };
}

function noReport(bytes: Uint8Array): GalleyError {
  return new GalleyError("internal", `the native program ended without a report (${bytes.length} bytes)`, {
    hint: "was it killed, or is it of another version? remove the build directory and try again",
  });
}
