import { expect, test } from "bun:test";
import type { DeviceRule } from "../../spec/runtime.ts";
import { allowAllDevices, containerDevicePolicy, devicePolicy, deviceRuleText, permits } from "./device-rules.ts";

function texts(rules: readonly DeviceRule[], compile = devicePolicy): string[] {
  const policy = compile(rules);
  return [policy.defaultAllow ? "allow" : "deny", ...policy.exceptions.map(deviceRuleText)];
}

const nullDevice = { type: "c", major: 1, minor: 3 } as const;

test("the default is to deny, with the standard devices excepted", () => {
  expect(texts([])).toEqual(["deny"]);
  const defaults = [
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
  ];
  expect(texts([{ allow: false, access: "rwm" }], containerDevicePolicy)).toEqual(["deny", ...defaults]);
  const disk: DeviceRule = { allow: true, type: "b", major: 8, minor: 0, access: "r" };
  expect(texts([disk], containerDevicePolicy)).toEqual(["deny", "b 8:0 r", ...defaults]);
});

test("the defaults are added to what is allowed of the same device, and taken out of what is denied", () => {
  const writable: DeviceRule = { allow: true, type: "c", major: 1, minor: 3, access: "w" };
  expect(texts([writable], containerDevicePolicy).slice(0, 2)).toEqual(["deny", "c 1:3 rwm"]);
  const blocks: DeviceRule = { allow: false, type: "b", access: "rwm" };
  expect(texts([...allowAllDevices, blocks], containerDevicePolicy)).toEqual(["allow", "b *:* rw"]);
});

test("allowing all makes later allowances void", () => {
  expect(texts(allowAllDevices, containerDevicePolicy)).toEqual(["allow"]);
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
