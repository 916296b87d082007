/** Conditions on the arguments of a call, brought down to 32-bit words: a filter's accumulator holds no more. */
import { GalleyError } from "../../errors.ts";
import type { SeccompRule } from "../../spec/runtime.ts";

export type Comparison = "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "masked";

/** `masked`: (argument & mask) == value. Narrow conditions have a zero `high` and look at the lower word alone. */
export interface Condition {
  readonly arg: number;
  readonly op: Comparison;
  readonly wide: boolean;
  readonly high: number;
  readonly low: number;
  readonly maskHigh: number;
  readonly maskLow: number;
}

const operators: Readonly<Record<string, Comparison | undefined>> = {
  SCMP_CMP_NE: "ne",
  SCMP_CMP_LT: "lt",
  SCMP_CMP_LE: "le",
  SCMP_CMP_EQ: "eq",
  SCMP_CMP_GE: "ge",
  SCMP_CMP_GT: "gt",
  SCMP_CMP_MASKED_EQ: "masked",
};

/** The names of all operators, for `features` and for validation. */
export const knownOperators: readonly string[] = Object.keys(operators);

const MAX_U64 = 0xffff_ffff_ffff_ffffn;

type OciArg = NonNullable<SeccompRule["args"]>[number];

/**
 * The conditions of a rule as alternatives, each a conjunction; an empty one always holds. All must hold, unless two look at the
 * same argument: then any of them suffices, as runc has always read such a rule.
 */
export function ruleConditions(
  args: readonly OciArg[],
  wide: boolean,
  field: string,
): readonly (readonly Condition[])[] {
  const conditions = args.map((one, index) => condition(one, wide, `${field}.args[${index}]`));
  const repeated = new Set(args.map(({ index }) => index)).size < args.length;
  const conjunctions = repeated ? conditions.map((one) => [one]) : [conditions];
  return conjunctions.map((all) => all.filter((one) => !alwaysHolds(one)).sort((a, b) => a.arg - b.arg));
}

function condition(one: OciArg, wide: boolean, field: string): Condition {
  const op = Object.hasOwn(operators, one.op) ? operators[one.op] : undefined;
  if (op === undefined) {
    throw invalid(
      `${field}.op`,
      `unknown operator ${JSON.stringify(one.op)}`,
      `use one of ${knownOperators.join(", ")}`,
    );
  }
  if (!Number.isInteger(one.index) || one.index < 0 || one.index > 5) {
    throw invalid(`${field}.index`, `a system call has no argument ${one.index}`, "arguments are numbered 0 to 5");
  }
  const mask = op === "masked" ? u64(one.value) : MAX_U64;
  const value = (op === "masked" ? u64(one.valueTwo ?? 0) : u64(one.value)) & mask;
  return {
    arg: one.index,
    op,
    wide,
    high: wide ? Number(value >> 32n) : 0,
    low: Number(value & 0xffff_ffffn),
    maskHigh: wide ? Number(mask >> 32n) : 0,
    maskLow: Number(mask & 0xffff_ffffn),
  };
}

/** JSON readers round 2^64 - 1, the value that stands for -1, up to 2^64; negative numbers mean their two's complement. */
function u64(value: number | bigint): bigint {
  if (typeof value === "number" && value >= 2 ** 64) return MAX_U64;
  return BigInt.asUintN(64, typeof value === "number" ? BigInt(Math.trunc(value)) : value);
}

function alwaysHolds(one: Condition): boolean {
  return one.op === "masked" && one.maskHigh === 0 && one.maskLow === 0;
}

function invalid(subject: string, message: string, hint: string): GalleyError {
  return new GalleyError("invalid_argument", message, { subject, hint });
}
