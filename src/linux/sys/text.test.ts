import { describe, expect, test } from "bun:test";
import { decodeName, encodeName, pathArgument } from "./text.ts";

describe("names as text", () => {
  const samples: readonly (readonly [string, readonly number[]])[] = [
    ["ascii", [0x61, 0x2f, 0x7f]],
    ["two, three and four bytes", [0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80]],
    ["a byte order mark", [0xef, 0xbb, 0xbf, 0x61]],
    ["Latin-1", [0x63, 0x61, 0x66, 0xe9]],
    ["a truncated sequence", [0xe2, 0x82]],
    ["overlong and surrogate forms", [0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xed, 0xb2, 0x80]],
    ["an escape after an astral character", [0xf0, 0x9f, 0x98, 0x80, 0xff]],
    ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
  ];
  test.each([...samples])("%s comes back byte for byte", (_, bytes) => {
    const text = decodeName(Uint8Array.from(bytes));
    expect([...encodeName(text)]).toEqual([...bytes]);
  });

  test("every single byte comes back", () => {
    for (let byte = 0; byte < 256; byte++) expect([...encodeName(decodeName(Uint8Array.of(byte)))]).toEqual([byte]);
  });

  test("valid UTF-8 is read as the text it is", () => {
    expect(decodeName(Buffer.from("é€😀"))).toBe("é€😀");
    expect(decodeName(Uint8Array.of(0x61, 0xff))).toBe("a\udcff");
  });

  test("a NUL is refused, for it would cut the path short", () => {
    expect(() => pathArgument("a\0b")).toThrow("EINVAL");
  });

  test("a surrogate that stands for no byte is refused", () => {
    expect(() => encodeName("\ud800")).toThrow("EINVAL");
    expect(() => encodeName("\udc41")).toThrow("EINVAL");
  });
});
