import { expect, test } from "bun:test";
import type { DeviceRule } from "../../spec/runtime.ts";
import { allowAllDevices, defaultDeviceRules, devicePolicy, deviceRuleText, permits } from "./device-rules.ts";

function texts(rules: readonly DeviceRule[]): string[] {
  const policy = devicePolicy(rules);
  return [policy.defaultAllow ? "allow" : "deny", ...policy.exceptions.map(deviceRuleText)];
}

const nullDevice = { type: "c", major: 1, minor: 3 } as const;

test("the default is to deny, with the standard devices excepted", () => {
  expect(texts([])).toEqual(["deny"]);
  expect(texts([{ allow: false, access: "rwm" }, ...defaultDeviceRules])).toEqual([
    "deny",
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
    "c 10:200 rwm",
  ]);
});

test("allowing all makes later allowances void", () => {
  expect(texts([...allowAllDevices, ...defaultDeviceRules])).toEqual(["allow"]);
  expect(texts([{ allow: true }])).toEqual(["allow"]);
});

test("access is merged and taken away letter by letter", () => {
  expect(
    texts([
      { allow: true, ...nullDevice, access: "r" },
      { allow: true, ...nullDevice, access: "m" },
    ]),
  ).toEqual(["deny", "c 1:3 rm"]);
  expect(
    texts([
      { allow: true, ...nullDevice, access: "rwm" },
      { allow: false, ...nullDevice, access: "w" },
    ]),
  ).toEqual(["deny", "c 1:3 rm"]);
  expect(
    texts([
      { allow: true, ...nullDevice, access: "r" },
      { allow: false, ...nullDevice, access: "rw" },
    ]),
  ).toEqual(["deny"]);
});

test("a denial of what was never allowed changes nothing", () => {
  expect(texts([{ allow: false, type: "c", major: 10, minor: 229, access: "rwm" }])).toEqual(["deny"]);
});

test("type a with numbers or less than all access is not everything", () => {
  expect(texts([{ allow: true, type: "a", major: 8, access: "r" }])).toEqual(["deny", "b 8:* r", "c 8:* r"]);
  expect(texts([{ allow: true, type: "a", access: "m" }])).toEqual(["deny", "b *:* m", "c *:* m"]);
});

test("a hole in a wider rule is refused, as cgroup v1 could not have it", () => {
  const rules: DeviceRule[] = [
    { allow: true, type: "c", major: 1, access: "rw" },
    { allow: false, ...nullDevice, access: "w" },
  ];
  expect(() => devicePolicy(rules)).toThrow("cannot except c 1:3 from the wider rule for c 1:-1");
  expect(() => devicePolicy([{ allow: true, access: "rx" }])).toThrow('unknown device access "rx"');
});

test("permission needs one exception for all of the access, refusal one for any of it", () => {
  const allowing = devicePolicy([
    { allow: true, ...nullDevice, access: "r" },
    { allow: true, type: "c", major: 1, access: "w" },
  ]);
  expect(permits(allowing, "c", 1, 3, 2)).toBe(true);
  expect(permits(allowing, "c", 1, 3, 6)).toBe(false);
  const denying = devicePolicy([...allowAllDevices, { allow: false, ...nullDevice, access: "w" }]);
  expect(permits(denying, "c", 1, 3, 6)).toBe(false);
  expect(permits(denying, "c", 1, 3, 2)).toBe(true);
  expect(permits(denying, "b", 1, 3, 6)).toBe(true);
});
