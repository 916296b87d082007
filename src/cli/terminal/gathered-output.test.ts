import { expect, test } from "bun:test";
import { GatheredOutput } from "./gathered-output.ts";

function recorder(log: string[], name: string) {
  return {
    async write(data: Uint8Array) {
      await Promise.resolve();
      log.push(`${name}:${data.length > 100 ? data.length : Buffer.from(data).toString()}`);
    },
  };
}

test("pieces are gathered, in their order across streams", async () => {
  const log: string[] = [];
  const [out, err] = [recorder(log, "out"), recorder(log, "err")];
  const gathered = new GatheredOutput();
  for (const [target, text] of [
    [out, "a"],
    [out, "b"],
    [err, "c"],
    [out, "d"],
    [out, "e"],
  ] as const) {
    await gathered.write(target, Buffer.from(text));
  }
  await gathered.end();
  expect(log).toEqual(["out:ab", "err:c", "out:de"]);
});

test("what is much is written at once, and the rest when nothing more comes", async () => {
  const log: string[] = [];
  const out = recorder(log, "out");
  const gathered = new GatheredOutput();
  for (let piece = 0; piece < 5; piece++) await gathered.write(out, new Uint8Array(30_000));
  expect(log).toEqual(["out:90000"]);
  await new Promise((resolve) => setTimeout(resolve));
  await gathered.end();
  expect(log).toEqual(["out:90000", "out:60000"]);
});

test("a reader that is gone is told to the writer", async () => {
  const gathered = new GatheredOutput();
  const broken = { write: () => Promise.reject(new Error("gone")) };
  await gathered.write(broken, Buffer.from("a"));
  await expect(gathered.end()).rejects.toThrow("gone");
  await expect(gathered.write(broken, Buffer.from("b"))).rejects.toThrow("gone");
});
