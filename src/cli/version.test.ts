import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "./version.ts";

test("the version is the package's", () => {
  const text = readFileSync(join(import.meta.dir, "../../package.json"), "utf8");
  expect(version).toBe((JSON.parse(text) as { version: string }).version);
});
