import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { SeccompConfig, SeccompRule } from "../../spec/runtime.ts";
import { actionValue } from "./actions.ts";
import { architectures } from "./architectures.ts";
import { compileFilter } from "./compile.ts";
import { evaluate } from "./evaluate.ts";
import { type Machine, syscallNumbers, X32_BIT } from "./numbers.ts";

// A machine that does much else at the same time takes longer than the five seconds that are the default.
setDefaultTimeout(60_000);

const ENOSYS = 0x0005_0026;
const KILL = 0;
const ALLOW = 0x7fff_0000;
const audit = (machine: Machine): number => architectures[machine].audit;

const interesting = [
  0n,
  1n,
  5n,
  7n,
  38n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1_0000_0005n,
  0x5_0000_0003n,
  2n ** 63n,
  2n ** 64n - 1n,
];
/** Each interesting value in each of the first three arguments, the others zero; and in all of them. */
const argumentGrid = interesting.flatMap((value) => [
  [value],
  [0n, value],
  [0n, 0n, value],
  [value, value, value, value, value, value],
]);

type Args = NonNullable<SeccompRule["args"]>;

/** What a rule's conditions say, read straight from the configuration. */
function holds(args: Args, given: readonly bigint[], bits: number): boolean {
  const cut = (value: number | bigint): bigint => BigInt.asUintN(bits, BigInt(value));
  const one = ({ index, op, value, valueTwo = 0 }: Args[number]): boolean => {
    const actual = cut(given[index] ?? 0n);
    switch (op) {
      case "SCMP_CMP_EQ":
        return actual === cut(value);
      case "SCMP_CMP_NE":
        return actual !== cut(value);
      case "SCMP_CMP_LT":
        return actual < cut(value);
      case "SCMP_CMP_LE":
        return actual <= cut(value);
      case "SCMP_CMP_GT":
        return actual > cut(value);
      case "SCMP_CMP_GE":
        return actual >= cut(value);
      default:
        return (actual & cut(value)) === (cut(valueTwo) & cut(value));
    }
  };
  const repeated = new Set(args.map(({ index }) => index)).size < args.length;
  return args.length === 0 || (repeated ? args.some(one) : args.every(one));
}

/** The decision as the documentation describes it, rule by rule. Only for configurations whose rules for a call share one action. */
function decide(config: SeccompConfig, machine: Machine, number: number, given: readonly bigint[]): number {
  const value = actionValue(config.defaultAction, config.defaultErrnoRet, "");
  const bits = architectures[machine].wide ? 64 : 32;
  const rules = config.syscalls ?? [];
  const numbers = syscallNumbers(machine);
  const own = rules.filter(({ names }) => names.some((name) => numbers.get(name) === number));
  const found = own.find(({ args = [] }) => holds(args, given, bits));
  if (found !== undefined) return actionValue(found.action, found.errnoRet, "");
  const highest = Math.max(-1, ...rules.flatMap(({ names }) => names.map((name) => numbers.get(name) ?? -1)));
  return number > highest ? ENOSYS : value;
}

const everyOperator: SeccompConfig = {
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM"],
  syscalls: [
    { names: ["read", "write", "statx", "openat", "epoll_pwait2"], action: "SCMP_ACT_ALLOW" },
    { names: ["dup"], action: "SCMP_ACT_TRAP", args: [{ index: 0, value: 5, op: "SCMP_CMP_EQ" }] },
    { names: ["lseek"], action: "SCMP_ACT_LOG", args: [{ index: 1, value: 0x1_0000_0005, op: "SCMP_CMP_NE" }] },
    { names: ["fcntl"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 7, op: "SCMP_CMP_LT" }] },
    { names: ["fsync"], action: "SCMP_ACT_ALLOW", args: [{ index: 2, value: 0x1_0000_0000, op: "SCMP_CMP_LE" }] },
    {
      names: ["getpid"],
      action: "SCMP_ACT_TRACE",
      errnoRet: 9,
      args: [{ index: 0, value: 0x5_0000_0003, op: "SCMP_CMP_GT" }],
    },
    { names: ["kill"], action: "SCMP_ACT_KILL_PROCESS", args: [{ index: 1, value: 38n, op: "SCMP_CMP_GE" }] },
    {
      names: ["clone"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 0x1_0000_0001, valueTwo: 1, op: "SCMP_CMP_MASKED_EQ" }],
    },
    { names: ["chdir"], action: "SCMP_ACT_KILL", args: [{ index: 0, value: 2n ** 64n - 1n, op: "SCMP_CMP_EQ" }] },
    {
      names: ["prctl"],
      action: "SCMP_ACT_ALLOW",
      args: [
        { index: 1, value: 5, op: "SCMP_CMP_GE" },
        { index: 0, value: 38, op: "SCMP_CMP_LE" },
        { index: 2, value: 1, op: "SCMP_CMP_NE" },
      ],
    },
    {
      names: ["umask"],
      action: "SCMP_ACT_ALLOW",
      args: [
        { index: 0, value: 0, op: "SCMP_CMP_EQ" },
        { index: 0, value: 7, op: "SCMP_CMP_EQ" },
        { index: 1, value: 38, op: "SCMP_CMP_GT" },
      ],
    },
    { names: ["flock"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 5, op: "SCMP_CMP_LT" }] },
    { names: ["flock"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 38, op: "SCMP_CMP_GT" }] },
    { names: ["close"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 0, op: "SCMP_CMP_MASKED_EQ" }] },
    { names: ["fork"], action: "SCMP_ACT_ERRNO", args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }] },
  ],
};

describe.each(["x86_64", "aarch64"] as const)("compiled for %s", (native) => {
  const { program } = compileFilter(everyOperator, native);
  const machines: readonly Machine[] = native === "x86_64" ? ["x86_64", "x86", "x32"] : ["aarch64", "arm"];

  test.each(machines)("every call of %s is decided as the rules say", (machine) => {
    const base = machine === "x32" ? X32_BIT : 0;
    for (let number = base; number <= base + 600; number += 1) {
      for (const args of argumentGrid) {
        const call = { number, audit: audit(machine), args };
        const value = evaluate(program, call).value;
        if (value !== decide(everyOperator, machine, number, args)) {
          expect({ call, value }).toEqual({ call, value: decide(everyOperator, machine, number, args) });
        }
      }
    }
  });

  test("callers of other architectures are killed", () => {
    const foreign = native === "x86_64" ? audit("aarch64") : audit("x86_64");
    expect(evaluate(program, { number: 0, audit: foreign, args: [] }).value).toBe(KILL);
  });
});

const allowRead: SeccompConfig = {
  defaultAction: "SCMP_ACT_ERRNO",
  syscalls: [{ names: ["read", "statx"], action: "SCMP_ACT_ALLOW" }],
};

function value(
  config: SeccompConfig,
  number: number,
  machine: Machine = "x86_64",
  args: readonly bigint[] = [],
): number {
  return evaluate(compileFilter(config, "x86_64").program, { number, audit: audit(machine), args }).value;
}

test("x32 numbers kill where x32 is not listed, but not the -1 with which a tracer skips a call", () => {
  expect(value(allowRead, X32_BIT)).toBe(KILL);
  expect(value(allowRead, 0xc000_0000)).toBe(KILL);
  expect(value(allowRead, 0x8000_0000)).toBe(ENOSYS);
  expect(value(allowRead, 0xffff_ffff)).toBe(0x0005_0001);
  expect(value({ ...allowRead, architectures: ["SCMP_ARCH_X32"] }, 0xffff_ffff)).toBe(ENOSYS);
});

test("calls newer than the configuration do not exist, but with a permissive default they pass", () => {
  expect(value(allowRead, 333)).toBe(ENOSYS);
  expect(value({ ...allowRead, defaultAction: "SCMP_ACT_KILL_PROCESS" }, 333)).toBe(ENOSYS);
  const denyRead: SeccompConfig = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["read"], action: "SCMP_ACT_KILL" }],
  };
  expect(value(denyRead, 333)).toBe(ALLOW);
  expect(value(denyRead, 0)).toBe(KILL);
  expect(value({ defaultAction: "SCMP_ACT_ERRNO" }, 333)).toBe(0x0005_0001);
});

test("a rule with the default's action still makes its call known", () => {
  const rules = [{ names: ["listns"], action: "SCMP_ACT_ERRNO" }];
  expect(value({ ...allowRead, syscalls: [...(allowRead.syscalls ?? []), ...rules] }, 460)).toBe(0x0005_0001);
});

test("32-bit x86 socket calls are reached through the multiplexer and by their own number", () => {
  const config: SeccompConfig = {
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ["SCMP_ARCH_X86"],
    syscalls: [
      {
        names: ["socket", "recv", "msgget"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value: 2, op: "SCMP_CMP_EQ" }],
      },
    ],
  };
  const socketcall = (call: bigint) => value(config, 102, "x86", [call, 0xffffn]);
  expect([1n, 2n, 10n].map(socketcall)).toEqual([ALLOW, 0x0005_0001, ALLOW]);
  expect(value(config, 117, "x86", [13n])).toBe(ALLOW);
  expect(value(config, 359, "x86", [2n])).toBe(ALLOW);
  expect(value(config, 359, "x86", [38n])).toBe(0x0005_0001);
});

test("the first rule without conditions decides alone", () => {
  const rules = (...actions: readonly [string, number?][]): SeccompConfig => ({
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: actions.map(([action, one]) => ({
      names: ["dup"],
      action,
      ...(one === undefined ? {} : { args: [{ index: 0, value: one, op: "SCMP_CMP_EQ" }] }),
    })),
  });
  const config = rules(["SCMP_ACT_TRAP", 1], ["SCMP_ACT_ALLOW"], ["SCMP_ACT_KILL"], ["SCMP_ACT_KILL", 2]);
  expect([0n, 1n, 2n].map((arg) => value(config, 32, "x86_64", [arg]))).toEqual([ALLOW, ALLOW, ALLOW]);
});

test("programs with far jumps are right too", () => {
  const names = [...syscallNumbers("x86_64").keys()];
  const config: SeccompConfig = {
    defaultAction: "SCMP_ACT_KILL",
    architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    syscalls: names.map((name, index) => ({ names: [name], action: "SCMP_ACT_ERRNO", errnoRet: index + 1 })),
  };
  const { program } = compileFilter(config, "x86_64");
  expect(program.length / 8).toBeGreaterThan(1000);
  for (const machine of ["x86_64", "x86", "x32"] as const) {
    const numbers = syscallNumbers(machine);
    names.forEach((name, index) => {
      const number = numbers.get(name);
      if (number === undefined || (machine === "x86" && (number === 102 || number > 358))) return;
      expect([name, evaluate(program, { number, audit: audit(machine), args: [] }).value]).toEqual([
        name,
        0x0005_0001 + index,
      ]);
    });
  }
});

test("a program larger than the kernel takes is refused", () => {
  const args = (value: number): Args =>
    [0, 1, 2, 3, 4, 5].map((index) => ({ index, value: value + index, op: "SCMP_CMP_GT" }));
  const syscalls = Array.from({ length: 200 }, (_, index) => ({
    names: ["ioctl"],
    action: "SCMP_ACT_ALLOW",
    args: args(index * 7),
  }));
  expect(() => compileFilter({ defaultAction: "SCMP_ACT_ERRNO", syscalls }, "x86_64")).toThrow(
    /has [0-9]+ instructions, the kernel takes 4096/,
  );
});

const bad: readonly [string, SeccompConfig, string, string][] = [
  [
    "default action",
    { defaultAction: "SCMP_ACT_X" },
    'unknown seccomp action "SCMP_ACT_X"',
    "linux.seccomp.defaultAction",
  ],
  [
    "action",
    { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["read"], action: "allow" }] },
    'unknown seccomp action "allow"',
    "linux.seccomp.syscalls[0].action",
  ],
  [
    "operator",
    {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: [], action: "SCMP_ACT_KILL", args: [{ index: 0, value: 0, op: "==" }] }],
    },
    'unknown operator "=="',
    "linux.seccomp.syscalls[0].args[0].op",
  ],
  [
    "argument",
    {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: [], action: "SCMP_ACT_KILL", args: [{ index: 6, value: 0, op: "SCMP_CMP_EQ" }] }],
    },
    "a system call has no argument 6",
    "linux.seccomp.syscalls[0].args[0].index",
  ],
  [
    "architecture",
    { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_MIPS", "amd64"] },
    'unknown architecture "amd64"',
    "linux.seccomp.architectures[1]",
  ],
  ["flag", { defaultAction: "SCMP_ACT_ALLOW", flags: ["X"] }, 'unknown seccomp flag "X"', "linux.seccomp.flags[0]"],
  [
    "notify by default",
    { defaultAction: "SCMP_ACT_NOTIFY" },
    "cannot be used as default action",
    "linux.seccomp.defaultAction",
  ],
  [
    "notify on write",
    { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["read", "write"], action: "SCMP_ACT_NOTIFY" }] },
    "cannot be used for the write syscall",
    "linux.seccomp.syscalls[0]",
  ],
  [
    "contradiction",
    {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: ["SCMP_ACT_KILL", "SCMP_ACT_TRAP"].map((action) => ({
        names: ["dup"],
        action,
        args: [{ index: 0, value: 0, op: "SCMP_CMP_EQ" }],
      })),
    },
    "an earlier rule has another action for the same call and arguments",
    "linux.seccomp.syscalls[1]",
  ],
];

test.each(bad)("%s: refused by name", (_, config, message, subject) => {
  expect(() => compileFilter(config, "x86_64")).toThrow(
    expect.objectContaining({ message: expect.stringContaining(message), subject }),
  );
});

test("flags: speculation is left alone unless a list says otherwise; notify brings a listener", () => {
  const flags = (config: Partial<SeccompConfig>) =>
    compileFilter({ defaultAction: "SCMP_ACT_ALLOW", ...config }, "x86_64").flags;
  expect(flags({})).toBe(4);
  expect(flags({ flags: [] })).toBe(0);
  expect(flags({ flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"] })).toBe(2);
  const syscalls = [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }];
  expect(flags({ syscalls, flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] })).toBe(0x28);
  expect(compileFilter({ defaultAction: "SCMP_ACT_ALLOW", syscalls }, "x86_64").listener).toBe(true);
});
