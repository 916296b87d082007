import { expect, test } from "bun:test";
import { slicePath, unitOf } from "./unit.ts";

test.each([
  ["machine.slice:libpod:abc", { unit: "libpod-abc.scope", slice: "machine.slice", name: "abc" }],
  [":docker:abc", { unit: "docker-abc.scope", slice: "system.slice", name: "abc" }],
  ["", { unit: "runc-box.scope", slice: "system.slice", name: "box" }],
  ["a.slice:x:a-b.slice", { unit: "a-b.slice", slice: "a.slice", name: "a-b.slice" }],
] as const)("cgroupsPath %p is a unit", (path, unit) => {
  expect(unitOf(path, "box", false)).toEqual(unit);
});

test("a user's units are in user.slice where nothing else is said", () => {
  expect(unitOf("", "box", true).slice).toBe("user.slice");
});

test("a path is no unit", () => {
  expect(() => unitOf("/a/b", "box", false)).toThrow(
    'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/a/b" instead',
  );
});

test.each([
  ["-.slice", "/"],
  ["a.slice", "/a.slice"],
  ["a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice"],
])("%s is at %s", (slice, path) => {
  expect(slicePath(slice)).toBe(path);
});

test.each([".slice", "a", "a--b.slice", "-a.slice", "a-.slice", "a/b.slice"])("%p is no slice", (slice) => {
  expect(() => slicePath(slice)).toThrow(`invalid slice name: ${slice}`);
});
