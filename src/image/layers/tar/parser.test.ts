import { describe, expect, test } from "bun:test";
import type { TarEntry } from "./entry.ts";
import { TarParser } from "./parser.ts";
import { readTar } from "./read-tar.ts";
import { archive, header, pax, record } from "./test-blocks.ts";

interface Found {
  readonly entry: TarEntry;
  readonly parts: (readonly [offset: number, text: string])[];
}

function parse(bytes: Uint8Array, chunk = bytes.length): Found[] {
  const found: Found[] = [];
  const parser = new TarParser({
    entry: (entry) => found.push({ entry, parts: [] }),
    data: (data, offset) => found.at(-1)?.parts.push([offset, Buffer.from(data).toString()]),
    end: () => undefined,
  });
  for (let at = 0; at < bytes.length; at += chunk) parser.push(bytes.subarray(at, at + chunk));
  parser.finish();
  return found;
}

function only(bytes: Uint8Array): Found {
  const found = parse(bytes);
  expect(found).toHaveLength(1);
  return found[0]!;
}

const textOf = (found: Found) => found.parts.map(([, text]) => text).join("");

describe("plain entries", () => {
  test("of every type", () => {
    const types = {
      "0": "file",
      "1": "hardlink",
      "2": "symlink",
      "3": "char",
      "4": "block",
      "5": "directory",
      "6": "fifo",
      "7": "file",
    };
    for (const [flag, type] of Object.entries(types)) {
      expect(only(archive(header({ name: "n", flag, linkName: "t" }))).entry.type).toBe(type as TarEntry["type"]);
    }
  });

  test("with all their fields", () => {
    const fields = { name: "dev/x", flag: "3", mode: 0o4755, uid: 12, gid: 34, mtime: 1234567, major: 8, minor: 300 };
    expect(only(archive(header(fields))).entry).toMatchObject({
      ...{ name: "dev/x", type: "char", mode: 0o4755, uid: 12, gid: 34, major: 8, minor: 300, size: 0 },
      ...{ modified: { seconds: 1234567, nanoseconds: 0 }, accessed: undefined, xattrs: undefined, offset: 0 },
    });
  });

  test("are found whatever the chunks are", () => {
    const bytes = archive(
      pax(record("path", "a long name"), record("mtime", "5.25")),
      header({ name: "x", size: 700 }, "a".repeat(700)),
      header({ name: "y", size: 512 }, "b".repeat(512)),
      header({ name: "z", size: 0 }),
    );
    for (const chunk of [1, 3, 511, 512, 513, 700, 1024, 5000]) {
      const found = parse(bytes, chunk);
      expect(found.map(({ entry }) => entry.name)).toEqual(["a long name", "y", "z"]);
      expect(found.map(textOf)).toEqual(["a".repeat(700), "b".repeat(512), ""]);
      expect(found[0]?.entry.modified).toEqual({ seconds: 5, nanoseconds: 250_000_000 });
      expect(found.map(({ entry }) => entry.offset)).toEqual([1024, 2560, 3584]);
    }
  });

  test("whose names are in two parts, in POSIX's way and not in GNU's", () => {
    expect(only(archive(header({ name: "b", prefix: "a/a" }))).entry.name).toBe("a/a/b");
    expect(only(archive(header({ name: "b", prefix: "a/a", magic: "ustar  \0" }))).entry.name).toBe("b");
    expect(only(archive(header({ name: "b", prefix: "a/a", magic: "" }))).entry.name).toBe("b");
  });

  test("of old archives: a slash makes a directory", () => {
    expect(only(archive(header({ name: "d/", flag: "\0", magic: "" }))).entry.type).toBe("directory");
  });

  test("whose links and directories claim content have none", () => {
    const found = parse(archive(header({ name: "l", flag: "1", linkName: "t", size: 4096 }), header({ name: "n" })));
    expect(found.map(({ entry }) => entry.name)).toEqual(["l", "n"]);
  });

  test("with numbers in base 256, negative times too", () => {
    const { entry } = only(archive(header({ name: "n", uid: 0x12345678, mtime: -3, binary: true })));
    expect(entry).toMatchObject({ uid: 0x12345678, modified: { seconds: -3, nanoseconds: 0 } });
  });

  test("with names that are no UTF-8", () => {
    expect(only(archive(header({ name: "caf\udce9" }))).entry.name).toBe("caf\udce9");
    expect(only(archive(header({ name: "café" }))).entry.name).toBe("café");
  });
});

describe("extended headers", () => {
  test("replace fields, and hold for one entry", () => {
    const bytes = archive(
      pax(
        record("path", "p"),
        record("uid", "3000000"),
        record("gid", "7"),
        record("size", "3"),
        record("atime", "-0.5"),
      ),
      header({ name: "n", uid: 1 }, "abc"),
      header({ name: "m", uid: 1 }),
    );
    const [first, second] = parse(bytes);
    expect(first?.entry).toMatchObject({ name: "p", uid: 3000000, gid: 7, size: 3 });
    expect(first?.entry.accessed).toEqual({ seconds: -1, nanoseconds: 500_000_000 });
    expect(second?.entry).toMatchObject({ name: "m", uid: 1, accessed: undefined });
  });

  test("global ones hold for all that follow, under the entry's own", () => {
    const bytes = archive(
      pax.global(record("uid", "5"), record("gid", "6"), record("comment", "x")),
      pax(record("uid", "7")),
      header({ name: "a" }),
      header({ name: "b" }),
      pax(record("gid", "")),
      header({ name: "c", gid: 9 }),
    );
    const owners = parse(bytes).map(({ entry }) => [entry.uid, entry.gid]);
    expect(owners).toEqual([
      [7, 6],
      [5, 6],
      [5, 9],
    ]);
  });

  test("carry attributes with any bytes, in star's and in libarchive's way", () => {
    const bytes = archive(
      pax(
        record("SCHILY.xattr.user.raw", Buffer.from([0, 10, 61, 255])),
        record("SCHILY.xattr.user.empty", ""),
        record("LIBARCHIVE.xattr.user.b%20c", "AQID"),
        record("LIBARCHIVE.xattr.user.raw", "AAAA"),
      ),
      header({ name: "n" }),
    );
    const { xattrs } = only(bytes).entry;
    expect([...(xattrs ?? [])].map(([name, value]) => [name, [...value]])).toEqual([
      ["user.raw", [0, 10, 61, 255]],
      ["user.empty", []],
      ["user.b c", [1, 2, 3]],
    ]);
  });

  test("GNU's long names and links come first of all", () => {
    const long = "d/".repeat(150);
    const bytes = archive(
      header({ name: "././@LongLink", flag: "L", size: long.length + 1 }, `${long}\0`),
      header({ name: "././@LongLink", flag: "K", size: 201 }, `${"t".repeat(200)}\0`),
      header({ name: "short", flag: "2", linkName: "short" }),
    );
    expect(only(bytes).entry).toMatchObject({ name: long, linkName: "t".repeat(200), type: "symlink" });
  });
});

describe("sparse files", () => {
  const expected = {
    size: 1000,
    segments: [
      { offset: 100, length: 3 },
      { offset: 500, length: 2 },
    ],
  };
  const common = [record("GNU.sparse.name", "real"), record("GNU.sparse.realsize", "1000")];

  test("format 0.0", () => {
    const numbers = [
      ["offset", 100],
      ["numbytes", 3],
      ["offset", 500],
      ["numbytes", 2],
    ] as const;
    const map = numbers.map(([keyword, value]) => record(`GNU.sparse.${keyword}`, String(value)));
    const found = only(
      archive(pax(record("GNU.sparse.size", "1000"), ...map), header({ name: "n", size: 5 }, "abcde")),
    );
    expect(found.entry).toMatchObject(expected);
    expect(found.parts).toEqual([
      [100, "abc"],
      [500, "de"],
    ]);
  });

  test("format 0.1", () => {
    const found = only(
      archive(pax(...common, record("GNU.sparse.map", "100,3,500,2,1000,0")), header({ name: "n", size: 5 }, "abcde")),
    );
    expect(found.entry).toMatchObject({ ...expected, name: "real" });
    expect(found.parts).toEqual([
      [100, "abc"],
      [500, "de"],
    ]);
  });

  test("format 1.0", () => {
    const map = "2\n100\n3\n500\n2\n".padEnd(512, "\0");
    const version = [record("GNU.sparse.major", "1"), record("GNU.sparse.minor", "0")];
    const bytes = archive(pax(...version, ...common), header({ name: "n", size: 517 }, `${map}abcde`));
    const found = only(bytes);
    expect(found.entry).toMatchObject({ ...expected, name: "real" });
    expect(found.parts).toEqual([
      [100, "abc"],
      [500, "de"],
    ]);
    expect(parse(bytes, 7).map(textOf)).toEqual(["abcde"]);
  });

  test("the old format, with a table that goes on in further blocks", () => {
    const places = [...Array(30).keys()].map((i) => [i * 1000, 1] as const);
    const bytes = archive(header.sparse({ name: "n", size: 30 }, 30_000, places), "x".repeat(30));
    const found = only(bytes);
    expect(found.entry.size).toBe(30_000);
    expect(found.parts).toEqual(places.map(([offset]) => [offset, "x"]));
  });

  test("of one hole alone", () => {
    const found = only(archive(pax(...common, record("GNU.sparse.map", "1000,0")), header({ name: "n", size: 0 })));
    expect(found).toMatchObject({ entry: { size: 1000, segments: [] }, parts: [] });
  });
});

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

describe("ends", () => {
  test("with anything after the two zero blocks", () => {
    const bytes = Buffer.concat([archive(header({ name: "n" })), Buffer.from("rubbish".repeat(300))]);
    expect(parse(bytes)).toHaveLength(1);
  });

  test("without zero blocks, with one, and before the last padding", () => {
    const one = header({ name: "n", size: 3 }, "abc");
    for (const bytes of [one, one.subarray(0, 515), Buffer.concat([one, Buffer.alloc(512)])]) {
      expect(parse(bytes).map(textOf)).toEqual(["abc"]);
    }
  });

  test("of nothing at all", () => {
    expect(parse(new Uint8Array())).toEqual([]);
  });
});

describe("readTar", () => {
  const bytes = archive(
    header({ name: "a", size: 600 }, "a".repeat(600)),
    pax(record("GNU.sparse.size", "200000"), record("GNU.sparse.map", "100000,3")),
    header({ name: "s", size: 3 }, "abc"),
    header({ name: "d", flag: "5" }),
    header({ name: "z", size: 2 }, "zz"),
  );
  async function* chunks(size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  test("gives content with its holes, and skips what is not read", async () => {
    for (const size of [100, 512, 100_000]) {
      const seen: string[] = [];
      for await (const { entry, body } of readTar(chunks(size))) {
        if (entry.name === "a") continue;
        let content = Buffer.alloc(0);
        for await (const part of body) content = Buffer.concat([content, part]);
        seen.push(`${entry.name} ${content.length} ${content.toString().replaceAll("\0", "")}`);
      }
      expect(seen).toEqual(["s 200000 abc", "d 0 ", "z 2 zz"]);
    }
  });

  test("lets the source go when it is left early", async () => {
    let closed = false;
    const source = async function* () {
      try {
        yield* chunks(512);
      } finally {
        closed = true;
      }
    };
    for await (const _ of readTar(source())) break;
    expect(closed).toBe(true);
  });
});
