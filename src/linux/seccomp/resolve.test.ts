import { expect, test } from "bun:test";
import type { ProfileFilter, SeccompProfile } from "./profile.ts";
import { resolveProfile } from "./resolve.ts";

function keeps(filters: { readonly includes?: ProfileFilter; readonly excludes?: ProfileFilter }): boolean {
  const profile: SeccompProfile = {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [{ names: ["x"], action: "SCMP_ACT_ALLOW", ...filters }],
  };
  const target = { capabilities: ["CAP_A", "CAP_B"], machine: "x86_64", kernel: "5.10.3-amd64" } as const;
  return (resolveProfile(profile, target).syscalls ?? []).length === 1;
}

test("a rule counts where all of its includes apply", () => {
  expect(keeps({})).toBe(true);
  expect(keeps({ includes: { caps: ["CAP_A", "CAP_B"] } })).toBe(true);
  expect(keeps({ includes: { caps: ["CAP_A", "CAP_C"] } })).toBe(false);
  expect(keeps({ includes: { arches: ["amd64", "s390x"] } })).toBe(true);
  expect(keeps({ includes: { arches: ["arm64"] } })).toBe(false);
  expect(keeps({ includes: { arches: [], caps: [] } })).toBe(true);
  expect(keeps({ includes: { minKernel: "5.10" } })).toBe(true);
  expect(keeps({ includes: { minKernel: "5.11" } })).toBe(false);
  expect(keeps({ includes: { caps: ["CAP_A"], minKernel: "5.11" } })).toBe(false);
});

test("a rule does not count where any of its excludes applies", () => {
  expect(keeps({ excludes: { caps: ["CAP_C", "CAP_B"] } })).toBe(false);
  expect(keeps({ excludes: { caps: ["CAP_C"] } })).toBe(true);
  expect(keeps({ excludes: { arches: ["amd64"] } })).toBe(false);
  expect(keeps({ excludes: { minKernel: "4.8" } })).toBe(false);
  expect(keeps({ excludes: { minKernel: "6.0" } })).toBe(true);
  expect(keeps({ includes: { caps: ["CAP_A"] }, excludes: { caps: ["CAP_B"] } })).toBe(false);
});

test.each(["4", "4.8.1", "x.y", "0.0"])("minKernel %p is refused", (minKernel) => {
  expect(() => keeps({ includes: { minKernel } })).toThrow("invalid kernel version");
});

test("the native architecture brings those that its kernel runs; conditions do not reach the result", () => {
  const profile: SeccompProfile = {
    defaultAction: "SCMP_ACT_KILL",
    defaultErrnoRet: 3,
    archMap: [
      { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: null },
    ],
    flags: [],
    listenerPath: "/run/agent.sock",
    listenerMetadata: "m",
    syscalls: [{ names: ["x"], action: "SCMP_ACT_ERRNO", errnoRet: 5, includes: { caps: [] } }],
  };
  expect(resolveProfile(profile, { capabilities: [], machine: "aarch64" })).toEqual({
    defaultAction: "SCMP_ACT_KILL",
    defaultErrnoRet: 3,
    architectures: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
    flags: [],
    listenerPath: "/run/agent.sock",
    listenerMetadata: "m",
    syscalls: [{ names: ["x"], action: "SCMP_ACT_ERRNO", errnoRet: 5 }],
  });
  expect(resolveProfile(profile, { capabilities: [], machine: "x86_64" }).architectures).toEqual(["SCMP_ARCH_X86_64"]);
  expect(resolveProfile(profile, { capabilities: [], machine: "arm" }).architectures).toEqual([]);
});
