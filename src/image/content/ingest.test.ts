import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../digest.ts";
import { ContentStore } from "./content-store.ts";
import { Ingest, partialPath } from "./ingest.ts";

let directory: string;
let store: ContentStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "galley-content-"));
  store = new ContentStore(join(directory, "content"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const content = Buffer.from("0123456789".repeat(50_000));
const target = { digest: digestOf(content), size: content.length };

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("content that is what it should be is put in place", async () => {
  const ingest = await Ingest.open(store, target);
  await ingest.write(content.subarray(0, 7));
  expect(store.has(target)).toBeFalse();
  await ingest.write(content.subarray(7));
  await ingest.commit();
  expect(store.has(target)).toBeTrue();
  expect(Buffer.from(store.read(target))).toEqual(content);
  expect(await collect(store.stream(target.digest))).toEqual(content);
  expect(existsSync(partialPath(store, target.digest))).toBeFalse();
  expect(JSON.parse(readFileSync(join(store.directory, "oci-layout"), "utf8"))).toEqual({
    imageLayoutVersion: "1.0.0",
  });
});

test("an interrupted download is continued where it stopped", async () => {
  const first = await Ingest.open(store, target);
  await first.write(content.subarray(0, 300_000));
  await first.fail(new Error("cut"), { keep: true });
  const second = await Ingest.open(store, target);
  expect(second.resumedFrom).toBe(300_000);
  await second.write(content.subarray(300_000));
  await second.commit();
  expect(Buffer.from(store.read(target))).toEqual(content);
});

test("a partial file that is longer than the blob is started again", async () => {
  store.prepare();
  writeFileSync(partialPath(store, target.digest), Buffer.alloc(target.size + 1));
  const ingest = await Ingest.open(store, target);
  expect(ingest.offset).toBe(0);
  await ingest.write(content);
  await ingest.commit();
  expect(store.has(target)).toBeTrue();
});

test("a reader sees all bytes while they arrive, from the first on", async () => {
  const early = await Ingest.open(store, target);
  await early.write(content.subarray(0, 1000));
  await early.fail(new Error("cut"), { keep: true });
  const ingest = await Ingest.open(store, target);
  const reading = collect(ingest.follow());
  for (let at = 1000; at < content.length; at += 50_000) {
    await ingest.write(content.subarray(at, at + 50_000));
    await Bun.sleep(0);
  }
  await ingest.commit();
  expect(await reading).toEqual(content);
  expect(await collect(ingest.follow())).toEqual(content);
});

test("what is lent to a reader is good until the next but one is asked for", async () => {
  const ingest = await Ingest.open(store, target);
  const reading = ingest.follow({ lend: true });
  const next = async () => (await reading.next()).value as Uint8Array;
  await ingest.write(content.subarray(0, 1001));
  const first = await next();
  await ingest.write(content.subarray(1001, 2003));
  const second = await next();
  expect(Buffer.concat([first, second]).equals(content.subarray(0, 2003))).toBeTrue();
  await ingest.fail(new Error("enough"), { keep: false });
});

test("a reader fails as the download does", async () => {
  const ingest = await Ingest.open(store, target);
  const reading = collect(ingest.follow()).catch((failure: unknown) => failure);
  await ingest.write(content.subarray(0, 10));
  await ingest.fail(new Error("the line was cut"), { keep: false });
  expect(await reading).toEqual(new Error("the line was cut"));
  expect(existsSync(partialPath(store, target.digest))).toBeFalse();
});

test("wrong content never gets in place", async () => {
  const long = await Ingest.open(store, target);
  await expect(long.write(Buffer.concat([content, Buffer.from("x")]))).rejects.toThrow("longer than the 500000 bytes");
  await long.fail(new Error("long"), { keep: false });
  const short = await Ingest.open(store, target);
  await short.write(content.subarray(1));
  await expect(short.commit()).rejects.toThrow("ended after 499999 of the 500000 bytes");
  await short.fail(new Error("short"), { keep: false });
  const other = await Ingest.open(store, target);
  await other.write(Buffer.from(content).fill(0x31, 0, 1));
  await expect(other.commit()).rejects.toThrow("its digest is sha256:");
  await other.fail(new Error("other"), { keep: false });
  expect(store.has(target)).toBeFalse();
});

test("a blob that lost its end counts as absent, an altered one is refused", async () => {
  const ingest = await Ingest.open(store, target);
  await ingest.write(content);
  await ingest.commit();
  writeFileSync(store.pathOf(target.digest), Buffer.alloc(target.size));
  expect(() => store.read(target)).toThrow("not what its descriptor says");
  truncateSync(store.pathOf(target.digest), 10);
  expect(store.has(target)).toBeFalse();
  expect(store.remove(target.digest)).toBe(10);
  expect(() => store.read(target)).toThrow("does not hold this content");
  expect(store.remove(target.digest)).toBe(0);
  expect(statSync(store.ingestDirectory).isDirectory()).toBeTrue();
});
