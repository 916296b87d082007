import { describe, expect, test } from "bun:test";
import { readTar } from "./read-tar.ts";
import type { NewEntry } from "./write-header.ts";
import { type NewMember, writeTar } from "./write-tar.ts";

async function bytesOf(members: readonly NewMember[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(members)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Uint8Array) {
  yield bytes;
}

async function back(members: readonly NewMember[]) {
  const bytes = await bytesOf(members);
  expect(bytes.length % 512).toBe(0);
  const found = [];
  for await (const { entry, body } of readTar(once(bytes))) {
    let content = "";
    for await (const chunk of body) content += Buffer.from(chunk).toString();
    found.push({ ...entry, content });
  }
  return found;
}

const time = { seconds: 1_700_000_000, nanoseconds: 0 };

describe("writeTar", () => {
  const cases: readonly (readonly [string, NewEntry])[] = [
    ["a plain file", { name: "a/b", type: "file", mode: 0o4755, uid: 1, gid: 2, modified: time }],
    ["a directory", { name: "d/", type: "directory", mode: 0o1777 }],
    ["a symbolic link", { name: "l", type: "symlink", linkName: "../x", mode: 0o777 }],
    ["a hard link", { name: "l", type: "hardlink", linkName: "x", mode: 0o644 }],
    ["a device", { name: "c", type: "char", mode: 0o600, major: 8, minor: 1_000_000 }],
    ["a pipe", { name: "p", type: "fifo", mode: 0o600 }],
    ["long names", { name: "n/".repeat(200), type: "symlink", linkName: "t".repeat(4000), mode: 0o777 }],
    ["a name of just a hundred bytes", { name: "n".repeat(100), type: "file", mode: 0o644 }],
    ["names that are not ASCII", { name: "é", type: "symlink", linkName: "\udcff", mode: 0o777 }],
    ["large owners", { name: "n", type: "file", mode: 0o644, uid: 4_000_000_000, gid: 2_097_152 }],
    ["nanoseconds", { name: "n", type: "file", mode: 0o644, modified: { seconds: 5, nanoseconds: 120 } }],
    ["a time before 1970", { name: "n", type: "file", mode: 0o644, modified: { seconds: -3, nanoseconds: 0 } }],
    [
      "half a second before 1970",
      { name: "n", type: "file", mode: 0o644, modified: { seconds: -1, nanoseconds: 500_000_000 } },
    ],
    [
      "a second and more before 1970",
      { name: "n", type: "file", mode: 0o644, modified: { seconds: -2, nanoseconds: 1 } },
    ],
    ["a time after 2242", { name: "n", type: "file", mode: 0o644, modified: { seconds: 2 ** 40, nanoseconds: 0 } }],
    [
      "attributes",
      {
        name: "n",
        type: "file",
        mode: 0o644,
        xattrs: new Map([
          ["user.a", Buffer.from([0, 10, 255])],
          ["user.b", Buffer.of()],
        ]),
      },
    ],
  ];
  test.each([...cases])("%s comes back", async (_, entry) => {
    const [found] = await back([{ entry }]);
    const { xattrs, ...rest } = entry;
    expect(found).toMatchObject(rest);
    expect([...(found?.xattrs ?? [])].map(([name, value]) => [name, [...value]])).toEqual(
      [...(xattrs ?? [])].map(([name, value]) => [name, [...value]]),
    );
  });

  test("content is filled up to whole blocks", async () => {
    for (const size of [0, 1, 511, 512, 513]) {
      const members = ["a", "b"].map((name) => ({
        entry: { name, type: "file", mode: 0o644, size } as const,
        content: Buffer.alloc(size, "x"),
      }));
      expect((await back(members)).map(({ content }) => content.length)).toEqual([size, size]);
    }
  });

  test("a file larger than 8 GiB is said to be so", async () => {
    const iterator = writeTar([
      { entry: { name: "n", type: "file", mode: 0o644, size: 2 ** 33 }, content: (async function* () {})() },
    ]);
    const { value } = await iterator.next();
    expect(Buffer.from(value ?? []).toString("latin1")).toContain("19 size=8589934592\n");
  });

  test("content that is not of the size it was said to have ends the archive", async () => {
    const entry = { name: "n", type: "file", mode: 0o644, size: 3 } as const;
    for (const content of ["ab", "abcd"]) {
      await expect(bytesOf([{ entry, content: Buffer.from(content) }])).rejects.toMatchObject({ code: "aborted" });
    }
  });

  test("the same entries give the same bytes", async () => {
    const members = cases.map(([, entry]) => ({ entry }));
    expect(await bytesOf(members)).toEqual(await bytesOf(members));
  });
});
