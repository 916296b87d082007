import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { opsHeader } from "../../scripts/generate-ops.ts";
import { ops } from "../../src/recipe/ops.ts";

const home = join(import.meta.dir, "../..");

test("native/ops.h is what scripts/generate-ops.ts makes of the operations", () => {
  expect(readFileSync(join(home, "native/ops.h"), "utf8")).toBe(opsHeader());
});

test("every operation is tried by a test in this directory", () => {
  const files = readdirSync(import.meta.dir).filter((name) => name.endsWith(".ts"));
  const tests = files.map((name) => readFileSync(join(import.meta.dir, name), "utf8")).join("\n");
  const untried = Object.keys(ops).filter((name) => !tests.includes(`op("${name}"`));
  expect(untried).toEqual([]);
});
