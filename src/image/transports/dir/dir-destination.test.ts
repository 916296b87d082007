import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../digest.ts";
import { DirDestination } from "./dir-destination.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "galley-dir-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** A place into which a blob has come. */
async function begun(directory: string): Promise<DirDestination> {
  const place = new DirDestination(`dir:${directory}`, directory);
  await place.prepare();
  const bytes = Buffer.from("blob");
  const expected = { digest: digestOf(bytes), size: bytes.length };
  const open = async function* () {
    yield bytes;
  };
  await place.writeBlob({ mediaType: "m", expected, open });
  expect(readdirSync(directory)).toHaveLength(2);
  return place;
}

test("what did not come whole leaves nothing, and no directory that was made for it", async () => {
  const place = await begun(join(base, "new", "image"));
  await place.close();
  expect(readdirSync(base)).toEqual([]);
});

test("a directory that was there stays, and one that somebody else uses meanwhile", async () => {
  mkdirSync(join(base, "there"));
  await (await begun(join(base, "there"))).close();
  expect(readdirSync(join(base, "there"))).toEqual([]);
  const place = await begun(join(base, "shared", "image"));
  writeFileSync(join(base, "shared", "note"), "");
  await place.close();
  expect(readdirSync(join(base, "shared"))).toEqual(["note"]);
});

test("what was committed stays", async () => {
  const place = await begun(join(base, "whole"));
  await place.commit();
  await place.close();
  expect(existsSync(join(base, "whole", "version"))).toBeTrue();
});
