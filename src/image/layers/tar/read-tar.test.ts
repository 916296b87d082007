import { describe, expect, test } from "bun:test";
import { readTar } from "./read-tar.ts";
import { archive, header, pax, record } from "./test-blocks.ts";

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
