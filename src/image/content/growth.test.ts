import { expect, test } from "bun:test";
import { Growth } from "./growth.ts";

test("a reader is told how far a file is, and of its end", () => {
  const growth = new Growth();
  const reader = new Growth(growth.memory);
  growth.reached(5 * 2 ** 32);
  expect(reader.beyond(0)).toBe(5 * 2 ** 32);
  growth.complete();
  expect(reader.beyond(7)).toBe(5 * 2 ** 32);
  expect(reader.beyond(5 * 2 ** 32)).toBeUndefined();
  expect(reader.stopped).toBeFalse();
});

test("a reader that is to stop gets no more, though there is more", () => {
  const growth = new Growth();
  growth.reached(100);
  growth.stop();
  expect(growth.beyond(0)).toBeUndefined();
  expect(growth.stopped).toBeTrue();
});

test("a file that is complete can still be given up, and is not complete again then", () => {
  const growth = new Growth();
  growth.reached(100);
  growth.stop();
  growth.complete();
  expect(growth.stopped).toBeTrue();
});

test("a reader in another thread sleeps until there is more", async () => {
  const growth = new Growth();
  const url = new URL("./growth.ts", import.meta.url).href;
  const program = `
    import { Growth } from ${JSON.stringify(url)};
    self.onmessage = ({ data }) => {
      const growth = new Growth(data);
      for (let at = 0, next; (next = growth.beyond(at)) !== undefined; at = next) postMessage(next);
      postMessage("end");
    };`;
  const worker = new Worker(URL.createObjectURL(new Blob([program], { type: "text/javascript" })));
  const seen: unknown[] = [];
  const ended = new Promise<void>((resolve) => {
    worker.onmessage = ({ data }) => {
      seen.push(data);
      if (data === 10) growth.reached(20);
      else if (data === 20) growth.complete();
      else resolve();
    };
  });
  worker.postMessage(growth.memory);
  growth.reached(10);
  await ended;
  worker.terminate();
  expect(seen).toEqual([10, 20, "end"]);
});
