import { expect, test } from "bun:test";
import { FrameReader, frame, type ShimExit, shorts, words } from "./frames.ts";

function reader() {
  const seen: { output: string[]; results: number[]; exits: ShimExit[] } = { output: [], results: [], exits: [] };
  const frames = new FrameReader({
    output: (stream, data) => seen.output.push(`${stream}:${new TextDecoder().decode(data)}`),
    result: (errno) => seen.results.push(errno),
    exit: (exit) => seen.exits.push(exit),
  });
  return { frames, seen };
}

function output(stream: number, text: string): Uint8Array {
  const bytes = frame(0x4f, new TextEncoder().encode(text));
  bytes[1] = stream;
  return bytes;
}

const stream = Buffer.concat([
  output(1, "out"),
  frame(0x52, words(3)),
  output(2, "err"),
  frame(0x53, new TextEncoder().encode("state running")),
  frame(0x58, words(137, 9, 1)),
]);

test("frames in one piece", () => {
  const { frames, seen } = reader();
  frames.feed(stream);
  expect(seen).toEqual({
    output: ["1:out", "2:err"],
    results: [3],
    exits: [{ code: 137, signal: 9, oomKilled: true }],
  });
});

test("frames in every two pieces, and byte by byte", () => {
  for (let at = 0; at <= stream.length; at++) {
    const { frames, seen } = reader();
    frames.feed(stream.subarray(0, at));
    frames.feed(stream.subarray(at));
    expect(seen.output.join("").replace(/[12]:/g, "")).toBe("outerr");
    expect([seen.results, seen.exits.length]).toEqual([[3], 1]);
  }
  const { frames, seen } = reader();
  for (const byte of stream) frames.feed(Uint8Array.of(byte));
  expect(seen.output).toEqual(["1:o", "1:u", "1:t", "2:e", "2:r", "2:r"]);
});

test("what is no frame is refused", () => {
  const { frames } = reader();
  expect(() => frames.feed(Uint8Array.of(0x52, 0, 0, 0, 0, 0, 0, 1))).toThrow("no frame");
});

test("payloads are little-endian", () => {
  expect([...words(1, 256)]).toEqual([1, 0, 0, 0, 0, 1, 0, 0]);
  expect([...shorts(24, 80)]).toEqual([24, 0, 80, 0]);
});
