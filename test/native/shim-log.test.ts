import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { type LogEntry, Shim, type ShimOptions } from "./shim.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);

/** Runs a script to its end and gives its log. */
async function logOf(script: string, options: ShimOptions = {}): Promise<LogEntry[]> {
  await using shim = await Shim.start(script, options);
  await shim.client.wait();
  await shim.client.closed;
  return shim.log();
}

const NANOSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

root("an entry is a line with its stream and its time in nanoseconds", async () => {
  const before = Date.now();
  const log = await logOf("echo one; echo two >&2; echo; printf 'no end'");
  expect(log.filter(({ stream }) => stream === "stdout").map((entry) => entry.log)).toEqual(["one\n", "\n", "no end"]);
  expect(log.filter(({ stream }) => stream === "stderr").map((entry) => entry.log)).toEqual(["two\n"]);
  for (const { time } of log) {
    expect(time).toMatch(NANOSECONDS);
    expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
  }
});

root("bytes are escaped as JSON; what is no UTF-8 becomes the replacement character", async () => {
  await using shim = await Shim.start(
    `printf '\\001\\t"\\\\<&>\\177 \\303\\244 \\342\\202\\254 \\360\\237\\220\\263 \\342\\200\\250 \\377 \\303( \\355\\240\\200\\n'`,
  );
  await shim.client.wait();
  await shim.client.closed;
  const raw = readFileSync(shim.folder.at("log"), "utf8");
  expect(raw).toContain('"log":"\\u0001\\u0009\\"\\\\\\u003c\\u0026\\u003e\u007f ä € 🐳 \\u2028 \\ufffd \\ufffd( ');
  expect(shim.log()[0]?.log).toBe('\u0001\t"\\<&>\u007f ä € 🐳 \u2028 \ufffd \ufffd( \ufffd\ufffd\ufffd\n');
});

root("a long line is cut into pieces of 16 KiB that bear one time, and no character is cut", async () => {
  const log = await logOf(
    "head -c 40000 /dev/zero | tr '\\0' x; i=0; while [ $i -lt 9000 ]; do printf '€'; i=$((i+1)); done; echo",
  );
  expect(log.map((entry) => entry.log).join("")).toBe(`${"x".repeat(40_000)}${"€".repeat(9000)}\n`);
  expect(log.length).toBe(5);
  expect(new Set(log.map((entry) => entry.time)).size).toBe(1);
  for (const entry of log.slice(0, -1)) {
    expect(Buffer.byteLength(entry.log)).toBeGreaterThan(16_384 - 3);
    expect(Buffer.byteLength(entry.log)).toBeLessThanOrEqual(16_384);
  }
});

root("lines of two streams that are written in turns stay whole", async () => {
  const log = await logOf("for i in 1 2 3; do printf a$i; printf b$i >&2; done; echo; echo >&2");
  expect(log.map(({ stream, log: line }) => `${stream} ${line}`).sort()).toEqual([
    "stderr b1b2b3\n",
    "stdout a1a2a3\n",
  ]);
});

root("the log is rotated by size; only the newest files are kept, and nothing of them is lost", async () => {
  await using shim = await Shim.start("seq 1 3000", { log: { maxSize: 20_000, maxFiles: 3 } });
  await shim.client.wait();
  await shim.client.closed;
  const names = readdirSync(shim.folder.path).filter((name) => name.startsWith("log"));
  expect(names.sort()).toEqual(["log", "log.1", "log.2"]);
  const numbers = ["log.2", "log.1", "log"].flatMap((name) => shim.log(name).map((entry) => Number(entry.log)));
  expect(numbers.at(-1)).toBe(3000);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  for (const name of ["log.1", "log.2"]) {
    const size = readFileSync(shim.folder.at(name)).length;
    expect(size).toBeGreaterThanOrEqual(20_000);
    expect(size).toBeLessThan(20_000 + 200);
  }
});

root("a log of one file is cut at its limit", async () => {
  await using shim = await Shim.start("seq 1 1000", { log: { maxSize: 5000, maxFiles: 1 } });
  await shim.client.wait();
  await shim.client.closed;
  expect(existsSync(shim.folder.at("log.1"))).toBe(false);
  expect(readFileSync(shim.folder.at("log")).length).toBeLessThan(5200);
  expect(shim.log().at(-1)?.log).toBe("1000\n");
});

root("every line of a container that writes as fast as it can is in the log, whoever is attached", async () => {
  await using shim = await Shim.start("read line; seq 1 200000");
  const stalled = await shim.connect();
  await stalled.attach(2);
  stalled.close();
  shim.client.input("\n");
  await shim.client.wait();
  await shim.client.closed;
  const lines = shim.log();
  expect(lines.length).toBe(200_000);
  expect(lines.every((entry, index) => entry.log === `${index + 1}\n`)).toBe(true);
  expect(shim.client.text(1).length).toBe(1_288_894 + 1);
});
