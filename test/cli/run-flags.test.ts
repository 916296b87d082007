/** That the tests beside this one leave out no flag of `run`. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../src/cli/commands/run.ts";

test("every flag of run is tried here, with what it does or how it is refused", () => {
  const names = readdirSync(import.meta.dir).filter((name) => /^run.*\.test\.ts$/.test(name));
  const text = names.map((name) => readFileSync(join(import.meta.dir, name), "utf8")).join("\n");
  const tried = new Set(Array.from(text.matchAll(/--([a-z0-9-]+)/g), ([, name]) => name));
  expect(Object.keys(command.flags).filter((name) => !tried.has(name))).toEqual([]);
});
