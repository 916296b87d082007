import { describe, expect, test } from "bun:test";
import { actionValue, isPermissive } from "../../src/linux/seccomp/actions.ts";
import { architectures } from "../../src/linux/seccomp/architectures.ts";
import { compileFilter } from "../../src/linux/seccomp/compile.ts";
import { evaluate } from "../../src/linux/seccomp/evaluate.ts";
import { syscallNumbers, X32_BIT } from "../../src/linux/seccomp/numbers.ts";
import { defaultProfile, profileCapabilities } from "../../src/linux/seccomp/profile.ts";
import { resolveProfile } from "../../src/linux/seccomp/resolve.ts";
import type { SeccompConfig, SeccompRule } from "../../src/spec/runtime.ts";
import { highestCall, libseccompProgram, openLibseccomp, withKnownCalls } from "./libseccomp.ts";

const library = openLibseccomp();
const reason = library === undefined || process.arch !== "x64" ? " (skipped: needs libseccomp.so.2 on x86-64)" : "";

const values = [
  0n,
  1n,
  8n,
  37n,
  38n,
  39n,
  40n,
  41n,
  0x2_0008n,
  0x1000_0000n,
  0x7e02_0000n,
  0xffff_ffffn,
  0x1_0000_0026n,
  2n ** 64n - 1n,
];
const argumentGrid = values.flatMap((value) => [[value], [0n, value], [1n, value, value]]);
const numbers = Array.from({ length: 621 }, (_, number) => [number, number + X32_BIT]).flat();
const oddNumbers = [0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xbfff_ffff, 0xc000_0000, 0xffff_fffe, 0xffff_ffff];
/** Enough where the conditions are those of the default profile, which other tests go through in full. */
const shortGrid = [[], [38n], [0x1000_0000n], [2n ** 64n - 1n]];
/** dup, futimesat and their neighbours on each architecture. */
const conflictNumbers = [0, 32, 33, 41, 42, 261, 262, 299].flatMap((number) => [number, number + X32_BIT]);
/** map_shadow_stack: older libraries hold that x32 does not have it. */
const disputed = X32_BIT + 453;

/** Compares every decision; ENOSYS above the highest known call, which runc puts in front of the library's program, is expected. */
function compare(config: SeccompConfig, calls = numbers, grid = argumentGrid): void {
  if (library === undefined) return;
  const known = withKnownCalls(library, config);
  const theirs = libseccompProgram(library, known);
  const ours = compileFilter(known, "x86_64").program;
  const highest = (name: string): number => highestCall(library, known, `SCMP_ARCH_${name}`);
  const limits = { x64: highest("X86_64"), x86: highest("X86"), x32: highest("X32") };
  const answersEnosys = !isPermissive(actionValue(known.defaultAction, known.defaultErrnoRet, ""));
  const listed = (name: string): boolean => known.architectures?.includes(`SCMP_ARCH_${name}`) === true;
  const limitOf = (audit: number, number: number): number => {
    if (audit === architectures.x86.audit) return listed("X86") ? limits.x86 : -1;
    if (audit !== architectures.x86_64.audit) return -1;
    if ((number & X32_BIT) !== 0) return listed("X32") ? limits.x32 : -1;
    return limits.x64;
  };
  for (const { audit } of [architectures.x86_64, architectures.x86, architectures.aarch64]) {
    for (const number of [...calls, ...oddNumbers]) {
      const limit = limitOf(audit, number);
      if (number === disputed) continue;
      for (const args of grid) {
        const call = { number, audit, args };
        const isBeyond = answersEnosys && limit > 0 && number > limit;
        const expected = isBeyond ? 0x0005_0026 : evaluate(theirs, call).value;
        const actual = evaluate(ours, call).value;
        if (actual !== expected) expect({ ...call, actual }).toEqual({ ...call, actual: expected });
      }
    }
  }
}

/** What servers and shells call most. */
const everyday =
  "brk clock_gettime clone close connect epoll_wait execve exit_group fcntl fstat futex getdents64 getpid gettid ioctl lseek madvise mmap mprotect munmap newfstatat openat poll read recvfrom recvmsg rt_sigaction rt_sigprocmask sendmsg sendto socket wait4 write writev";

/** Instructions that a program executes for {@link everyday} calls of x86-64. */
function stepsOf(program: Uint8Array): { readonly mean: number; readonly worst: number } {
  const table = syscallNumbers("x86_64");
  const steps = everyday.split(" ").map((name) => {
    const call = { number: table.get(name) ?? 0, audit: architectures.x86_64.audit, args: [2n, 1n] };
    return evaluate(program, call).steps;
  });
  return { mean: steps.reduce((sum, one) => sum + one, 0) / steps.length, worst: Math.max(...steps) };
}

const profile = (...capabilities: readonly string[]): SeccompConfig =>
  resolveProfile(defaultProfile(), { capabilities, machine: "x86_64", kernel: "6.1" });

const everything = ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_BPF", "CAP_SYS_TIME", "CAP_SYS_MODULE", "CAP_SYS_NICE"];

describe.skipIf(reason !== "")(`decisions are libseccomp's${reason}`, () => {
  test("for the default profile", () => compare(profile()), 300_000);
  test("for the default profile with many capabilities", () => compare(profile(...everything)), 300_000);
  test.each(profileCapabilities.map((name) => [name]))(
    "for the default profile with %s",
    (name) => {
      compare(profile(name), numbers, shortGrid);
    },
    60_000,
  );
  test("for the default profile on a kernel of old", () => {
    const config = resolveProfile(defaultProfile(), { capabilities: [], machine: "x86_64", kernel: "4.7" });
    compare(config, numbers, shortGrid);
  }, 60_000);

  test("and everyday calls are decided in fewer instructions, on the mean and at worst", () => {
    if (library === undefined) return;
    const known = withKnownCalls(library, profile("CAP_SYS_CHROOT"));
    const ours = stepsOf(compileFilter(known, "x86_64").program);
    const theirs = stepsOf(libseccompProgram(library, known));
    expect(ours.worst).toBeLessThan(theirs.worst);
    expect(ours.mean).toBeLessThan(theirs.mean);
  });

  test.each([[[]], [["SCMP_ARCH_X86_64"]], [["SCMP_ARCH_X86"]], [["SCMP_ARCH_X32"]]])(
    "for the architectures %p",
    (list) => {
      compare({ ...profile(), architectures: list }, numbers, shortGrid);
    },
  );

  test.each(["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"])(
    "with %s by default",
    (defaultAction) => {
      const syscalls = (profile().syscalls ?? []).map((rule) => ({ ...rule, action: "SCMP_ACT_ERRNO", errnoRet: 5 }));
      compare({ ...profile(), defaultAction, syscalls }, numbers, shortGrid);
    },
  );

  const when = (action: string, op: string, value: number, index = 0): SeccompRule => ({
    names: ["dup", "futimesat"],
    action: `SCMP_ACT_${action}`,
    args: [{ index, value, op: `SCMP_CMP_${op}` }],
  });
  const conflicts: readonly (readonly SeccompRule[])[] = [
    [when("ALLOW", "EQ", 38), when("TRAP", "GE", 8)],
    [when("TRAP", "GE", 8), when("ALLOW", "EQ", 38)],
    [when("ALLOW", "LT", 40), when("KILL", "GT", 8)],
    [when("ALLOW", "NE", 40), when("KILL", "EQ", 8)],
    [when("ALLOW", "GT", 37), when("KILL", "GT", 39), when("TRAP", "GT", 1)],
    [when("ALLOW", "LT", 37), when("KILL", "LT", 39), when("TRAP", "LE", 1)],
    [when("ALLOW", "EQ", 38), when("KILL", "EQ", 38, 1)],
  ];
  test.each(conflicts.map((rules) => [rules]))("where rules with different actions hold at once: %j", (rules) => {
    const known = { names: ["read", "epoll_pwait2"], action: "SCMP_ACT_ALLOW" };
    const list = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];
    compare({ defaultAction: "SCMP_ACT_ERRNO", architectures: list, syscalls: [known, ...rules] }, conflictNumbers);
  });
});
