import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogLine, LogOptions } from "../types.ts";
import { logSettings, readLogs } from "./read-logs.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "galley-logs-"));
  path = join(directory, "c.log");
});
afterEach(() => rmSync(directory, { recursive: true }));

const time = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.123456789Z`;
const entry = (second: number, text = `line ${second}\n`, stream = "stdout") =>
  `${JSON.stringify({ log: text, stream, time: time(second) })}\n`;
const entries = (...seconds: readonly number[]) => seconds.map((second) => entry(second)).join("");
const seconds = (second: number) => Date.parse("2026-01-01T00:00:00Z") / 1000 + second;
const textOf = ({ data }: LogLine) => Buffer.from(data).toString();

async function read(options: LogOptions = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLogs(path, options)) lines.push(textOf(line));
  return lines;
}

const expected = (...numbers: readonly number[]) => numbers.map((number) => `line ${number}\n`);

describe("a log", () => {
  test("is read through its rotated files, oldest first", async () => {
    writeFileSync(`${path}.2`, entries(1, 2));
    writeFileSync(`${path}.1`, entries(3));
    writeFileSync(path, entries(4, 5));
    expect(await read()).toEqual(expected(1, 2, 3, 4, 5));
  });

  test("keeps streams, times and every character", async () => {
    writeFileSync(path, entry(1, "ä\u2028\u0000\n", "stderr"));
    const [line] = await Array.fromAsync(readLogs(path));
    expect(line).toEqual({ stream: "stderr", time: time(1), data: Buffer.from("ä\u2028\u0000\n") });
  });

  test("that is not there is empty", async () => expect(await read()).toEqual([]));

  test("may be damaged", async () => {
    writeFileSync(path, `${entry(1)}garbage\n{"log":1}\n\0\0\n${entry(2)}${entry(3).slice(0, 20)}`);
    expect(await read()).toEqual(expected(1, 2));
    expect(await read({ tail: 1 })).toEqual(expected(2));
  });

  test("may have lines of any length", async () => {
    writeFileSync(path, entry(1, "x".repeat(200_000)) + entries(2));
    expect((await read()).map((text) => text.length)).toEqual([200_000, 7]);
    expect(await read({ tail: 1 })).toEqual(expected(2));
    expect((await read({ tail: 2 }))[0]).toHaveLength(200_000);
  });
});

describe("the end of a log", () => {
  test("is found across files", async () => {
    writeFileSync(`${path}.1`, entries(1, 2, 3));
    writeFileSync(path, entries(4, 5));
    for (let tail = 0; tail <= 7; tail++)
      expect(await read({ tail })).toEqual(
        expected(1, 2, 3, 4, 5)
          .slice(Math.max(0, 5 - tail))
          .slice(tail === 0 ? 5 : 0),
      );
  });

  test("is found in blocks of any content", async () => {
    const numbers = Array.from({ length: 50 }, (_, index) => index + 1);
    writeFileSync(
      path,
      numbers.map((number) => entry(number % 60, `${number} ${"y".repeat(number * 137)}\n`)).join(""),
    );
    const all = await read();
    for (const tail of [1, 2, 17, 49, 50, 51]) expect(await read({ tail })).toEqual(all.slice(-tail));
  });
});

test("a span of time is chosen", async () => {
  writeFileSync(path, entries(1, 2, 3, 4));
  expect(await read({ since: seconds(2) })).toEqual(expected(2, 3, 4));
  expect(await read({ since: seconds(2.2) })).toEqual(expected(3, 4));
  expect(await read({ until: seconds(2.2) })).toEqual(expected(1, 2));
  expect(await read({ since: seconds(2), until: seconds(3.5), tail: 3 })).toEqual(expected(2, 3));
});

describe("a followed log", () => {
  /** Reads on in the background; `next` waits for so many lines more. */
  function follow(options: LogOptions = {}) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const lines = readLogs(path, { ...options, follow: true }, { ended: promise });
    return {
      end: resolve,
      next: async (count: number) => {
        const got: string[] = [];
        while (got.length < count) {
          const { value, done } = await lines.next();
          if (done) break;
          got.push(textOf(value));
        }
        return got;
      },
    };
  }

  test("goes on as it is written, and ends with the container", async () => {
    writeFileSync(path, entries(1));
    const log = follow();
    expect(await log.next(1)).toEqual(expected(1));
    const half = entry(3);
    appendFileSync(path, entries(2) + half.slice(0, 10));
    expect(await log.next(1)).toEqual(expected(2));
    appendFileSync(path, half.slice(10));
    expect(await log.next(1)).toEqual(expected(3));
    appendFileSync(path, entries(4));
    log.end();
    expect(await log.next(9)).toEqual(expected(4));
  });

  test("goes through rotations without losing a line", async () => {
    writeFileSync(path, entries(1));
    const log = follow({ tail: 0 });
    const two = log.next(1);
    await Promise.resolve();
    appendFileSync(path, entries(2));
    expect(await two).toEqual(expected(2));
    for (const number of [3, 4, 5]) {
      appendFileSync(path, entries(number));
      if (number > 3) renameSync(`${path}.1`, `${path}.2`);
      renameSync(path, `${path}.1`);
      writeFileSync(path, "");
    }
    appendFileSync(path, entries(6));
    expect(await log.next(4)).toEqual(expected(3, 4, 5, 6));
    log.end();
    expect(await log.next(1)).toEqual([]);
  });

  test("begins anew where its only file was emptied", async () => {
    writeFileSync(path, entries(1, 2, 3));
    const log = follow();
    expect(await log.next(3)).toEqual(expected(1, 2, 3));
    truncateSync(path, 0);
    appendFileSync(path, entries(4));
    expect(await log.next(1)).toEqual(expected(4));
    log.end();
    expect(await log.next(1)).toEqual([]);
  });

  test("may not be there yet", async () => {
    const log = follow();
    const first = log.next(1);
    writeFileSync(path, entries(1));
    expect(await first).toEqual(expected(1));
    log.end();
    expect(await log.next(1)).toEqual([]);
  });

  test("ends when the time that was asked for is over", async () => {
    writeFileSync(path, entries(1));
    expect(await follow({ until: seconds(9) }).next(5)).toEqual(expected(1));
  });
});

describe("settings", () => {
  const settings = (logOptions: Record<string, string>) => logSettings({ image: "i", logOptions });

  test("bound the log", () => {
    expect(settings({})).toEqual({ maxSize: 20_000_000, maxFiles: 5 });
    expect(settings({ "max-size": "10m", "max-file": "3", mode: "blocking" })).toEqual({
      maxSize: 10 << 20,
      maxFiles: 3,
    });
    expect(settings({ "max-size": "-1" })?.maxSize).toBe(0);
    expect(logSettings({ image: "i", logDriver: "none" })).toBeUndefined();
  });

  test.each([
    [{ "max-size": "abc" }, "invalid size: 'abc'"],
    [{ "max-size": "0" }, "max-size must be a positive number"],
    [{ "max-file": "0" }, "max-file cannot be less than 1"],
    [{ "max-file": "x" }, "invalid max-file: 'x'"],
    [{ foo: "bar" }, "unknown log opt 'foo' for json-file log driver"],
    [{ tag: "x" }, "log opt 'tag=x' of the json-file log driver is not supported"],
  ])("%j is refused", (options, message) => expect(() => settings(options as Record<string, string>)).toThrow(message));
});
