import { expect, test } from "bun:test";
import { architectures } from "./architectures.ts";
import { compileFilter } from "./compile.ts";
import { evaluate } from "./evaluate.ts";
import { filterKey } from "./filter-key.ts";
import { type Machine, syscallNumbers } from "./numbers.ts";
import { defaultProfile } from "./profile.ts";
import { resolveProfile } from "./resolve.ts";

const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;

const resolve = (...capabilities: readonly string[]) =>
  resolveProfile(defaultProfile(), { capabilities, machine: "x86_64", kernel: "6.1" });
const plain = compileFilter(resolve("CAP_SYS_CHROOT"), "x86_64").program;
const admin = compileFilter(resolve("CAP_SYS_ADMIN"), "x86_64").program;

function decide(program: Uint8Array, name: string, args: readonly bigint[] = [], machine: Machine = "x86_64"): number {
  const number = syscallNumbers(machine).get(name)!;
  return evaluate(program, { number, audit: architectures[machine].audit, args }).value;
}

test.each([
  ["read", [], ALLOW],
  ["clone3", [], ENOSYS],
  ["mount", [], EPERM],
  ["unshare", [], EPERM],
  ["keyctl", [], EPERM],
  ["io_uring_setup", [], EPERM],
  ["chroot", [], ALLOW],
  ["ptrace", [], ALLOW],
  ["reboot", [], EPERM],
  ["clone", [0x11n], ALLOW],
  ["clone", [0x1000_0000n], EPERM],
  ["clone", [0x8000_0000_0000n], ALLOW],
  ["socket", [2n], ALLOW],
  ["socket", [16n], ALLOW],
  ["socket", [38n], EPERM],
  ["socket", [39n], ALLOW],
  ["socket", [40n], EPERM],
  ["socket", [41n], ALLOW],
  ["socket", [0x1_0000_0026n], ALLOW],
  ["personality", [0n], ALLOW],
  ["personality", [0x20008n], ALLOW],
  ["personality", [0xffff_ffffn], ALLOW],
  ["personality", [0x4_0000n], EPERM],
  ["personality", [2n ** 64n - 1n], EPERM],
] as const)("without capabilities %s(%p) is %d", (name, args, value) => {
  expect(decide(plain, name, args)).toBe(value);
});

test("capabilities open what the kernel guards by them", () => {
  expect(["mount", "clone3", "unshare", "bpf", "setns"].map((name) => decide(admin, name))).toEqual(
    Array(5).fill(ALLOW),
  );
  expect(decide(admin, "clone", [0x1000_0000n])).toBe(ALLOW);
  expect(["reboot", "chroot", "init_module"].map((name) => decide(admin, name))).toEqual(Array(3).fill(EPERM));
});

test("32-bit programs have the same rules", () => {
  for (const machine of ["x86", "x32"] as const) {
    expect(decide(plain, "openat", [], machine)).toBe(ALLOW);
    expect(decide(plain, "mount", [], machine)).toBe(EPERM);
    expect(decide(plain, "clone3", [], machine)).toBe(ENOSYS);
  }
  expect(decide(plain, "socket", [38n], "x86")).toBe(EPERM);
  expect(decide(plain, "socket", [0xffff_ffff_0000_0026n], "x32")).toBe(EPERM);
});

test("calls that no kernel had yet do not exist", () => {
  for (const machine of ["x86_64", "x86"] as const) {
    expect(evaluate(plain, { number: 600, audit: architectures[machine].audit, args: [] }).value).toBe(ENOSYS);
  }
});

test("any call without conditions is decided in at most thirteen instructions", () => {
  const conditional = ["clone", "socket", "personality"];
  for (const [name, number] of syscallNumbers("x86_64")) {
    if (conditional.includes(name)) continue;
    const { steps } = evaluate(plain, { number, audit: architectures.x86_64.audit, args: [] });
    expect([name, steps <= 13]).toEqual([name, true]);
  }
  expect(plain.length / 8).toBeLessThan(500);
});

test("the profile has each call once among the everyday ones", () => {
  const everyday = defaultProfile().syscalls[0]?.names ?? [];
  expect(new Set(everyday).size).toBe(everyday.length);
  expect(everyday.length).toBe(361);
});

test("the key of a filter depends on all that its program depends on", () => {
  const key = filterKey(resolve(), "x86_64");
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(filterKey(resolve(), "x86_64")).toBe(key);
  expect(filterKey(resolve("CAP_SYSLOG"), "x86_64")).not.toBe(key);
  expect(filterKey(resolve(), "aarch64")).not.toBe(key);
  expect(
    filterKey(
      {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: [], action: "x", args: [{ index: 0, value: 5n, op: "x" }] }],
      },
      "arm",
    ),
  ).toHaveLength(64);
});
