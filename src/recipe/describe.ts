import { formatNumber } from "./flag-names.ts";
import { CWD, type Fixup, NONE, type OpSpec, ops, sectionNames } from "./ops.ts";
import type { Arg, Recipe, Step } from "./recipe.ts";
import type { StepTiming } from "./report.ts";

type Timings = Readonly<Record<"outside" | "inside", readonly StepTiming[]>>;
const CAUSE_COLUMN = 88;
/** Longer byte strings (seccomp filters, netlink batches) are named by their size. */
const SHOWN_BYTES = 160;

/**
 * A recipe as text for people: a section a heading, a step a line, with the configuration behind it after `#`.
 * With `timings`, each step is preceded by when it began and how long it took, in microseconds.
 */
export function describeRecipe(recipe: Recipe, timings?: Timings): string {
  const parts: string[] = [];
  for (const name of sectionNames) {
    const steps = recipe.sections[name];
    if (steps === undefined || steps.length === 0) continue;
    const times = name === "outside" || name === "inside" ? timings?.[name] : undefined;
    parts.push(
      `${name}:`,
      ...steps.map((one, index) => line(one, index, timings === undefined ? undefined : [times?.[index]])),
      "",
    );
  }
  return parts.join("\n");
}

/** One step as `slot = operation(arguments)`. */
export function describeStep(one: Step): string {
  const spec: OpSpec = ops[one.op];
  const args = spec.params.map((param, index) => describeArg(param, one.args[index]));
  return `${one.out === undefined ? "" : `${one.out} = `}${one.op}(${args.join(", ")})`;
}

function line(one: Step, index: number, timing: readonly [StepTiming] | undefined): string {
  const time = timing === undefined ? "" : `${describeTiming(timing[0])}  `;
  const text = `${String(index).padStart(4)}  ${describeStep(one)}`;
  return `${time}${text.padEnd(CAUSE_COLUMN)}  # ${one.cause}`;
}

function describeTiming(timing: StepTiming): string {
  if (timing === undefined) return " ".repeat(21);
  const [start, took] = [timing.start / 1000, (timing.end - timing.start) / 1000];
  return `${start.toFixed(0).padStart(8)} ${`+${took.toFixed(1)}`.padStart(9)} us`;
}

function describeArg(param: string, arg: Arg | undefined): string {
  const [, kind, format] = param.split(":");
  switch (kind) {
    case "str":
      return JSON.stringify(arg);
    case "fd":
      return arg === CWD ? "AT_FDCWD" : arg === NONE ? "-1" : `<${String(arg)}>`;
    case "slot":
      return `&${String(arg)}`;
    case "data":
    case "ptr":
      return describeBytes(arg as Uint8Array);
    case "fixup":
      return describeFixup(arg as Fixup);
    default:
      return formatNumber(arg as number | bigint, format);
  }
}

function describeBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  if (/^[\x20-\x7e\n\t\0]*$/.test(text)) return describeText(text);
  if (bytes.length > SHOWN_BYTES) return `[${bytes.length} bytes]`;
  return `[${Buffer.from(bytes).toString("hex")}]`;
}

/** A NUL-separated list prints as a list of its entries. */
function describeText(text: string): string {
  return text.endsWith("\0") ? JSON.stringify(text.slice(0, -1).split("\0")) : JSON.stringify(text);
}

function describeFixup(fixup: Fixup): string {
  switch (fixup.kind) {
    case "none":
      return "-";
    case "pid":
      return `pid@${fixup.offset}`;
    case "slot":
      return `<${fixup.slot}>@${fixup.offset}`;
    case "interfaceIndex":
      return `index of ${fixup.name}@${fixup.offset}`;
  }
}
