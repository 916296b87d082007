import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContentStore } from "../content/content-store.ts";
import { Locks } from "./locks.ts";

let directory: string;
let locks: Locks;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "galley-locks-"));
  locks = new Locks(new ContentStore(directory));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("one holds a lock, others wait in turn, and nothing is left", async () => {
  let inside = 0;
  let worst = 0;
  const waited: number[] = [];
  const work = async (n: number) => {
    using _lock = await locks.take("blob", "sha256:aa", { onWait: () => waited.push(n) });
    worst = Math.max(worst, ++inside);
    await Bun.sleep(1);
    inside--;
  };
  await Promise.all([1, 2, 3, 4, 5].map(work));
  expect(worst).toBe(1);
  expect(waited).toEqual([2, 3, 4, 5]);
  expect(readdirSync(join(directory, "ingest"))).toEqual([]);
});

test("locks of other kinds and names do not meet", async () => {
  using _one = await locks.take("blob", "sha256:aa");
  using two = locks.try("layer", "sha256:aa");
  using three = locks.try("blob", "sha256:bb");
  expect([two, three]).not.toContain(undefined);
  expect(locks.try("blob", "sha256:aa")).toBeUndefined();
});

test("waiting ends with the signal", async () => {
  using _lock = await locks.take("blob", "sha256:aa");
  const controller = new AbortController();
  const waiting = locks.take("blob", "sha256:aa", { signal: controller.signal });
  controller.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
});

test("a process that is killed gives its locks back", async () => {
  const script = `
    import { ContentStore } from ${JSON.stringify(join(import.meta.dir, "../content/content-store.ts"))};
    import { Locks } from ${JSON.stringify(join(import.meta.dir, "locks.ts"))};
    await new Locks(new ContentStore(${JSON.stringify(directory)})).take("blob", "sha256:aa");
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  expect(Buffer.from(value ?? []).toString()).toBe("held\n");
  expect(locks.try("blob", "sha256:aa")).toBeUndefined();
  child.kill("SIGKILL");
  await child.exited;
  using lock = await locks.take("blob", "sha256:aa");
  expect(lock).toBeDefined();
});
