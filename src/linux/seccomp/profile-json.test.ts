import { expect, test } from "bun:test";
import { parseProfile } from "./profile-json.ts";

const parse = (value: unknown) => parseProfile(JSON.stringify(value), "p.json");

test("a whole profile is read, unknown fields passed over", () => {
  const profile = {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 38,
    archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
    flags: ["SECCOMP_FILTER_FLAG_LOG"],
    listenerPath: "/a",
    listenerMetadata: "b",
    syscalls: [
      {
        names: ["clone"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 1, value: 5, valueTwo: 6, op: "SCMP_CMP_MASKED_EQ" }],
        includes: { caps: ["CAP_X"], arches: ["amd64"], minKernel: "4.8" },
        excludes: {},
      },
    ],
  };
  expect(parse({ ...profile, $schema: "x", comment: 1 })).toEqual(profile);
});

test("old profiles have one call per rule, and nulls", () => {
  const text = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "archMap": null,
    "syscalls": [{"name": "accept", "action": "SCMP_ACT_ALLOW", "args": null, "includes": null}]}`;
  expect(parseProfile(text, "old.json")).toEqual({
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls: [{ names: ["accept"], action: "SCMP_ACT_ALLOW" }],
  });
});

test("numbers of 64 bits keep their value", () => {
  const text = `{"defaultAction": "SCMP_ACT_KILL", "syscalls": [{"names": ["x"], "action": "SCMP_ACT_ALLOW",
    "args": [{"value": 18446744073709551615, "valueTwo": 9007199254740993, "op": "SCMP_CMP_EQ"}]}]}`;
  const [arg] = parseProfile(text, "p.json").syscalls[0]?.args ?? [];
  expect(arg).toEqual({ index: 0, value: 2n ** 64n - 1n, valueTwo: 2n ** 53n + 1n, op: "SCMP_CMP_EQ" });
});

const allow = "SCMP_ACT_ALLOW";

test.each([
  [[], "top", "must be an object"],
  [{}, "defaultAction", "must be a string"],
  [{ defaultAction: "ALLOW" }, "defaultAction", 'is "ALLOW"; known are SCMP_ACT_KILL'],
  [{ defaultAction: allow, syscalls: {} }, "syscalls", "must be a list"],
  [{ defaultAction: allow, syscalls: [1] }, "syscalls[0]", "must be an object"],
  [{ defaultAction: allow, syscalls: [{ names: [1], action: allow }] }, "syscalls[0].names[0]", "must be a string"],
  [
    { defaultAction: allow, syscalls: [{ name: "a", names: ["b"], action: allow }] },
    "syscalls[0]",
    "both 'name' and 'names'",
  ],
  [{ defaultAction: allow, syscalls: [{ names: [] }] }, "syscalls[0].action", "must be a string"],
  [
    { defaultAction: allow, syscalls: [{ names: [], action: allow, args: [{ value: 1.5, op: "SCMP_CMP_EQ" }] }] },
    "syscalls[0].args[0].value",
    "must be an integer",
  ],
  [
    { defaultAction: allow, syscalls: [{ names: [], action: allow, args: [{ op: "EQ" }] }] },
    "syscalls[0].args[0].op",
    'is "EQ"',
  ],
  [{ defaultAction: allow, defaultErrnoRet: -1 }, "defaultErrnoRet", "is out of range"],
  [
    { defaultAction: allow, architectures: ["x"], archMap: [{}] },
    "architectures",
    "both 'architectures' and 'archMap'",
  ],
  [{ defaultAction: allow, archMap: [{}] }, "archMap[0].architecture", "must be a string"],
])("%j is refused with its place", (value, path, message) => {
  expect(() => parse(value)).toThrow(
    expect.objectContaining({ subject: `p.json: ${path}`, message: expect.stringContaining(message) }),
  );
});

test("what is not JSON is said to be so", () => {
  expect(() => parseProfile("{", "broken.json")).toThrow("the seccomp profile is not JSON");
});
