import { describe, expect, test } from "bun:test";
import { isMultipart, multipart, rangeOf } from "./multipart.ts";

const part = (range: string, content: string) =>
  `\r\n--b\r\nContent-Type: a/b\r\nContent-Range: bytes ${range}/100\r\n\r\n${content}`;
const body = `${part("3-6", "3456")}${part("10-11", "\r\n")}${part("20-29", "--b--\r\n---")}\r\n--b--\r\n`;

/** The text in pieces of so many bytes. */
async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

async function partsOf(text: string, size: number): Promise<Readonly<Record<number, string>>> {
  const found: Record<number, string> = {};
  let [start, next] = [-1, -1];
  for await (const { position, bytes } of multipart(pieces(text, size))) {
    if (position !== next) start = position;
    found[start] = (found[start] ?? "") + Buffer.from(bytes).toString();
    next = position + bytes.length;
  }
  return found;
}

describe("a body of several parts", () => {
  test("is taken apart however it arrives, and whatever is in it", async () => {
    for (const size of [1, 2, 3, 7, 50, 1000]) {
      for (const text of [body, body.trimStart(), body.trimEnd()]) {
        expect(await partsOf(text, size)).toEqual({ 3: "3456", 10: "\r\n", 20: "--b--\r\n---" });
      }
    }
  });

  test("is refused where it is cut, where a part has no place, or says more than a place", async () => {
    const wrong = [
      body.slice(0, -10),
      body.slice(0, 70),
      "",
      "text",
      part("6-3", "x"),
      part("x-y", "x"),
      body.replace("Content-Range", "Content-Length"),
      `x${body}`,
      "--b\r\n".padEnd(10_000, "a"),
    ];
    for (const text of wrong) await expect(partsOf(text, 64)).rejects.toMatchObject({ code: "unavailable" });
  });
});

test("ranges and types are read as they are written", () => {
  expect(rangeOf("bytes 0-499/1234")).toEqual({ start: 0, end: 500 });
  expect(rangeOf("bytes 5-5/*")).toEqual({ start: 5, end: 6 });
  for (const text of [null, undefined, "", "bytes */10", "bytes 5-/10", "items 0-1/2"])
    expect(rangeOf(text)).toBeUndefined();
  expect(isMultipart("multipart/byteranges; boundary=x")).toBeTrue();
  for (const type of [null, "multipart/mixed; boundary=x", "application/octet-stream"])
    expect(isMultipart(type)).toBeFalse();
});
