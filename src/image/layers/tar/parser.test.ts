import { describe, expect, test } from "bun:test";
import type { TarEntry } from "./entry.ts";
import { archive, header, pax, record } from "./test-blocks.ts";
import { type Found, parse } from "./test-parse.ts";

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
