import { expect, test } from "bun:test";
import { digestOf, parseDigest, shortDigest, tryParseDigest } from "./digest.ts";

test("known digests", () => {
  expect(digestOf("")).toBe("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(digestOf("abc", "sha512")).toStartWith("sha512:ddaf35a193617abacc417349ae204131");
  expect(shortDigest(digestOf(""))).toBe("e3b0c44298fc");
});

test("a digest is taken apart or refused", () => {
  const hex = "0a".repeat(32);
  expect(parseDigest(`sha256:${hex}`)).toEqual({ algorithm: "sha256", hex });
  expect(parseDigest(`sha512:${hex}${hex}`)).toEqual({ algorithm: "sha512", hex: hex + hex });
  for (const text of ["", "sha256", `sha256:${hex}0`, `sha256:${hex.toUpperCase()}`, `sha256:../${hex.slice(3)}`]) {
    expect(tryParseDigest(text)).toBeUndefined();
    expect(() => parseDigest(text)).toThrow("invalid checksum digest");
  }
  expect(() => parseDigest(`sha1:${"a".repeat(40)}`)).toThrow("unsupported digest algorithm");
});
