import { describe, expect, test } from "bun:test";
import { tableEntries } from "./table-entries.ts";

/** The text's bytes, so many at a time, in one buffer that is used again. */
function* pieces(text: string, size: number): Generator<Uint8Array> {
  const [bytes, buffer] = [Buffer.from(text), Buffer.alloc(size)];
  for (let at = 0; at < bytes.length; at += size) yield buffer.subarray(0, bytes.copy(buffer, 0, at, at + size));
}

function read(text: string, size: number) {
  const entries = tableEntries(pieces(text, size));
  const found: object[] = [];
  let step = entries.next();
  for (; step.done !== true; step = entries.next()) found.push(step.value);
  return { found, said: step.value };
}

const entries = [
  { type: "reg", name: 'a "{[}]" \\', xattrs: { "user.a": "}{", list: "[]" } },
  { type: "dir", name: "größe\u2028" },
  {},
  { type: "chunk", nested: { deeply: [{ and: { more: [] } }] } },
];

describe("a table of contents", () => {
  test("is read an entry at a time, however it arrives", () => {
    const table = { version: 1, entries, tarSplitDigest: "sha256:x" };
    for (const text of [JSON.stringify(table), JSON.stringify(table, null, 2)]) {
      for (const size of [1, 2, 3, 17, 10_000]) {
        const { found, said } = read(text, size);
        expect(found).toEqual(entries);
        expect(said.tarSplitDigest).toBe("sha256:x");
      }
    }
  });

  test("may be empty, or have other things among its entries", () => {
    expect(read('{"entries":[]}', 5).found).toEqual([]);
    expect(read('{"tarSplitDigest":"d","entries":[null,{"a":1},"x"]}', 5)).toMatchObject({ found: [{ a: 1 }] });
  });

  test("is refused where it is something else", () => {
    const wrong = ["", "[]", "5", "{}", '{"entries":{}}', '{"entries":[{}', '{"entries":[{"a":}]}', "{{{", "]]]]{"];
    for (const text of [...wrong, '{"others":[{"a":1}]}', '{"entries":[{"a":1}]}x'])
      expect(() => read(text, 4)).toThrow("the layer's table of contents cannot be used");
  });
});
