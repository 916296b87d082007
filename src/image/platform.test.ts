import { describe, expect, test } from "bun:test";
import type { Descriptor } from "../spec/image.ts";
import { choosePlatform, formatPlatform, hostPlatform, matchPlatform, parsePlatform } from "./platform.ts";

const offer = (...platforms: readonly string[]): readonly Descriptor[] =>
  platforms.map((text, index) => {
    const [os = "", architecture = "", variant] = text.split("/");
    const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
    return { mediaType: "m", digest: `sha256:${index}`, size: 1, platform };
  });

describe("a specifier is read as containerd reads it", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["Linux/AArch64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/i386", "linux/386"],
    ["arm64", "linux/arm64"],
    ["macos/arm64", "darwin/arm64"],
    ["linux/made-up", "linux/made-up"],
  ];
  for (const [text, normal] of rows) test(text, () => expect(formatPlatform(parsePlatform(text))).toBe(normal));
  test("linux", () => expect(parsePlatform("linux")).toEqual(hostPlatform()));
  for (const text of ["", "nonsense", "linux/", "linux/amd64/v1/x", "linux/*", "linux amd64"]) {
    test(`${JSON.stringify(text)} is refused`, () => expect(() => parsePlatform(text)).toThrow("is not a platform"));
  }
});

describe("the best of what is offered is chosen", () => {
  const rows: readonly (readonly [string, readonly string[], number | undefined])[] = [
    ["linux/amd64", ["linux/arm64", "linux/amd64"], 1],
    ["linux/amd64", ["linux/amd64/v3", "linux/amd64"], 1],
    ["linux/amd64", ["linux/amd64/v2"], undefined],
    ["linux/amd64", ["linux/386"], 0],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], 1],
    ["linux/amd64", ["unknown/unknown", "windows/amd64", "linux/amd64"], 2],
    ["linux/amd64", ["linux/amd64", "linux/amd64"], 0],
    ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], 1],
    ["linux/arm/v6", ["linux/arm"], undefined],
    ["linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], 1],
    ["linux/arm64", ["linux/arm/v6", "linux/arm/v7"], 1],
    ["linux/arm64/v8.2", ["linux/arm64", "linux/arm64/v8.1", "linux/arm64/v8.3"], 1],
    ["linux/arm64/v9.1", ["linux/arm64/v8", "linux/arm64/v9", "linux/arm64/v8.6"], 1],
    ["linux/riscv64", ["linux/amd64"], undefined],
  ];
  for (const [wanted, offered, index] of rows) {
    test(`${wanted} of ${offered.join(", ")}`, () => {
      const found = choosePlatform(parsePlatform(wanted), offer(...offered));
      expect(found?.digest).toBe(index === undefined ? undefined : `sha256:${index}`);
    });
  }
});

test("an exact match ranks before a compatible one", () => {
  const wanted = parsePlatform("linux/amd64");
  expect(matchPlatform(wanted, parsePlatform("linux/amd64"))).toBe(0);
  expect(matchPlatform(wanted, parsePlatform("linux/386"))).toBe(1);
});
