import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import type { NewEntry } from "../layers/tar/write-header.ts";
import type { ImageRecord, ImageSource, Images } from "../types.ts";
import { busyboxTree } from "./busybox-tree.ts";
import { busyboxImage, ensureEmbedded, isEmbedded } from "./embedded.ts";

const BUSYBOX = "/bin/busybox";
const reason = existsSync(BUSYBOX) ? undefined : "there is no busybox on this machine";

test.each([
  ["busybox", true],
  ["busybox:latest", true],
  ["docker.io/library/busybox:latest", true],
  ["busybox:1.36", false],
  ["me/busybox", false],
  ["localhost:5000/busybox", false],
  ["busybox@sha256:00", false],
])("%s is the embedded image: %p", (reference, expected) => {
  expect(isEmbedded(reference)).toBe(expected);
});

describe("the tree", () => {
  const entries = busyboxTree(Buffer.from("binary"), ["sh", "ls", "busybox", "ls"]).map(({ entry }) => entry);
  const entry = (name: string) => entries.find((found) => found.name === name) as NewEntry;

  test("has each command once, as a link to the one binary", () => {
    const commands = entries.filter(({ type }) => type === "hardlink");
    expect(commands.map(({ name, linkName }) => [name, linkName])).toEqual([
      ["bin/ls", "bin/busybox"],
      ["bin/sh", "bin/busybox"],
    ]);
    expect(entry("bin/busybox")).toMatchObject({ mode: 0o755, size: 6 });
  });

  test("has the modes that a system has", () => {
    expect([entry("tmp").mode, entry("root").mode, entry("etc/shadow").mode]).toEqual([0o1777, 0o700, 0o600]);
  });

  test("names directories before what is in them", () => {
    const seen = new Set<string>();
    for (const { name } of entries) {
      const parent = name.includes("/") && name !== "./" ? name.slice(0, name.lastIndexOf("/")) : "./";
      expect(name === "./" || seen.has(parent)).toBe(true);
      seen.add(name);
    }
  });
});

/** Just enough of a store to see what is imported. */
function fakeImages(present?: ImageRecord): Images & { readonly imported: ImageSource[] } {
  const imported: ImageSource[] = [];
  const images: Partial<Images> = {
    find: () => present,
    importImage: async (source) => {
      imported.push(source);
      return { id: "imported" } as ImageRecord;
    },
  };
  return { ...images, imported } as Images & { readonly imported: ImageSource[] };
}

describe("ensureEmbedded", () => {
  const never = () => {
    throw new Error("the binary is not needed");
  };

  test("leaves other images alone", async () => {
    expect(await ensureEmbedded("debian", fakeImages(), never)).toBeUndefined();
  });

  test("takes the store's image of that name, whatever it is", async () => {
    const present = { id: "pulled" } as ImageRecord;
    expect(await ensureEmbedded("busybox", fakeImages(present), never)).toBe(present);
  });

  test("says how to get a busybox", async () => {
    const expected = { code: "failed_precondition", hint: "apt-get install busybox-static" };
    await expect(ensureEmbedded("busybox", fakeImages(), () => undefined)).rejects.toMatchObject(expected);
  });

  test("refuses a program that is no busybox", async () => {
    for (const program of [readFileSync("/bin/true"), Buffer.from("no program at all")]) {
      await expect(ensureEmbedded("busybox", fakeImages(), () => program)).rejects.toMatchObject({
        code: "failed_precondition",
      });
    }
  });

  test.skipIf(reason !== undefined)(
    `imports an image that is the same each time${reason === undefined ? "" : ` (${reason})`}`,
    async () => {
      const images = fakeImages();
      let told = 0;
      await ensureEmbedded(
        "busybox",
        images,
        () => readFileSync(BUSYBOX),
        () => told++,
      );
      expect(images.imported[0]).toMatchObject({
        names: ["busybox:latest"],
        config: { os: "linux", config: { Cmd: ["sh"] } },
      });
      expect(told).toBe(1);
      const again = await busyboxImage(readFileSync(BUSYBOX));
      expect(again.config).toEqual(images.imported[0]!.config);
      const hasher = new Bun.CryptoHasher("sha256");
      for await (const chunk of again.layers[0]!.open()) hasher.update(chunk);
      expect(`sha256:${hasher.digest("hex")}`).toBe(again.layers[0]!.diffId);
    },
  );
});
