import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { archive, header, pax, record, sealed } from "./test-blocks.ts";
import { parse } from "./test-parse.ts";

// A machine that does much else at the same time takes longer than the five seconds that are the default.
setDefaultTimeout(60_000);

describe("hostile and broken archives", () => {
  const ten = 10 * 2 ** 30;
  const sparse = (map: string, size: number, content: string) =>
    archive(
      pax(record("GNU.sparse.size", String(size)), record("GNU.sparse.map", map)),
      header({ name: "n", size: content.length }, content),
    );
  const cases: readonly (readonly [string, Uint8Array, string, string])[] = [
    ["a wrong checksum", archive(header({ name: "n", checksum: 1 })), "invalid_argument", "checksum"],
    ["bytes that are no archive", Buffer.from("hello".repeat(500)), "invalid_argument", "checksum"],
    [
      "a size of 10 GB in an extended header",
      header({ name: "x", flag: "x", size: ten, binary: true }),
      "invalid_argument",
      "bytes",
    ],
    [
      "a size of 10 GB in a long name",
      header({ name: "x", flag: "L", size: ten, binary: true }),
      "invalid_argument",
      "bytes",
    ],
    ["a negative size", header({ name: "n", size: -1, binary: true }), "invalid_argument", "negative size"],
    [
      "a negative size of an extension",
      header({ name: "n", flag: "x", size: -1, binary: true }),
      "invalid_argument",
      "bytes",
    ],
    ["a size beyond all numbers", header({ name: "n", size: 2 ** 62, binary: true }), "invalid_argument", "size"],
    ["a size that is no number", header({ name: "n", raw: { size: "12z4" } }), "invalid_argument", "size"],
    ["a file of 10 GB that is not there", header({ name: "n", size: ten, binary: true }), "data_loss", "cut short"],
    [
      "endless extended headers",
      archive(...Array(64).fill(pax(record("comment", "x")))),
      "invalid_argument",
      "too many",
    ],
    [
      "endless long names",
      archive(...Array(64).fill(header({ name: "x", flag: "L", size: 2 }, "a\0"))),
      "invalid_argument",
      "too many",
    ],
    [
      "endless global headers",
      archive(...Array(80).fill(pax.global(record("k", "v".repeat(20000))))),
      "invalid_argument",
      "bytes",
    ],
    [
      "a record longer than its header",
      archive(pax(Buffer.from("99 path=x\n")), header({ name: "n" })),
      "invalid_argument",
      "record",
    ],
    [
      "a record of length 0",
      archive(pax(Buffer.from("0 path=x\n")), header({ name: "n" })),
      "invalid_argument",
      "record",
    ],
    [
      "a record without a keyword",
      archive(pax(Buffer.from("5 =x\n")), header({ name: "n" })),
      "invalid_argument",
      "record",
    ],
    [
      "a record without an end",
      archive(pax(Buffer.from("10 path=xyz")), header({ name: "n" })),
      "invalid_argument",
      "record",
    ],
    ["a name with a NUL", archive(pax(record("path", "a\0b")), header({ name: "n" })), "invalid_argument", "NUL"],
    [
      "an owner that is no number",
      archive(pax(record("uid", "0x10")), header({ name: "n" })),
      "invalid_argument",
      "uid",
    ],
    [
      "an owner of -1",
      archive(pax(record("uid", "4294967295")), header({ name: "n" })),
      "invalid_argument",
      "uid out of range",
    ],
    [
      "a time that is no number",
      archive(pax(record("mtime", "soon")), header({ name: "n" })),
      "invalid_argument",
      "mtime",
    ],
    [
      "a size that PAX makes negative",
      archive(pax(record("size", "-5")), header({ name: "n" })),
      "invalid_argument",
      "size",
    ],
    ["an extended header without an entry", archive(pax(record("path", "x"))), "invalid_argument", "without an entry"],
    ["an entry of unknown type", archive(header({ name: "n", flag: "Q" })), "invalid_argument", 'unknown type "Q"'],
    [
      "an entry after a zero block",
      Buffer.concat([Buffer.alloc(512), header({ name: "n" })]),
      "invalid_argument",
      "after the end",
    ],
    ["a sparse map that goes back", sparse("500,1,100,1", 1000, "ab"), "invalid_argument", "out of order"],
    ["a sparse map that overlaps", sparse("100,10,105,1", 1000, "x".repeat(11)), "invalid_argument", "out of order"],
    ["a sparse map beyond the file", sparse("999,2", 1000, "ab"), "invalid_argument", "out of order"],
    ["a sparse map of more than there is", sparse("0,500", 1000, "ab"), "invalid_argument", "differ in size"],
    ["a sparse map of less than there is", sparse("0,1", 1000, "ab"), "invalid_argument", "differ in size"],
    ["a sparse map that is no list", sparse("0,", 1000, "ab"), "invalid_argument", "unreadable sparse map"],
    [
      "content that is cut",
      header({ name: "n", size: 100 }, "x".repeat(100)).subarray(0, 550),
      "data_loss",
      '"n", at byte 0',
    ],
    ["a header that is cut", archive(header({ name: "n" })).subarray(0, 300), "data_loss", "cut short"],
    ["an extension that is cut", pax(record("path", "x")).subarray(0, 515), "data_loss", "cut short"],
  ];
  test.each([...cases])("%s", (_, bytes, code, message) => {
    for (const chunk of [bytes.length, 100]) {
      expect(() => parse(bytes, chunk)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(message) }),
      );
    }
  });

  test("a name of a million characters does not fill the message", () => {
    const bytes = archive(pax(record("path", "n".repeat(900_000)), record("uid", "4294967295")), header({ name: "n" }));
    expect(() => parse(bytes)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("n".repeat(300)) }),
    );
  });
});

/** A small generator of numbers in [0, 1), the same ones each time (Numerical Recipes' constants). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test("archives damaged anywhere are read or refused, never worse", () => {
  const original = archive(
    pax(record("path", "a long name"), record("mtime", "5.25"), record("SCHILY.xattr.user.x", "y")),
    header({ name: "x", size: 700 }, "a".repeat(700)),
    header.sparse(
      { name: "s", size: 30 },
      30_000,
      [...Array(30).keys()].map((i) => [i * 1000, 1] as const),
    ),
    "x".repeat(30),
    header({ name: "l", flag: "K", size: 201 }, `${"t".repeat(200)}\0`),
    header({ name: "d", flag: "2", linkName: "t" }),
  );
  const random = numbers(1);
  const codes = new Set<unknown>();
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(original);
    const block = Math.floor((random() * bytes.length) / 512) * 512;
    bytes[block + Math.floor(random() * 512)] = Math.floor(random() * 256);
    if (random() < 0.5) sealed(bytes, block);
    try {
      parse(bytes, 1 + Math.floor(random() * 2000));
      codes.add("read");
    } catch (failure) {
      codes.add((failure as { code?: unknown }).code);
    }
  }
  expect(codes.has("read") && codes.has("invalid_argument")).toBe(true);
  for (const code of codes) expect(["data_loss", "invalid_argument", "read"]).toContain(code as string);
});
