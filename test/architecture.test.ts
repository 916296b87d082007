import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  defaultExportViolations,
  importsOf,
  importViolations,
  lengthViolations,
  MAX_LINES,
  type SourceFile,
  undescribed,
} from "./harness/import-rules.ts";

const home = join(import.meta.dir, "..");
const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as {
  readonly dependencies: Readonly<Record<string, string>>;
};
const packages = Object.keys(manifest.dependencies);

function filesIn(...folders: readonly string[]): SourceFile[] {
  return folders
    .filter((folder) => existsSync(join(home, folder)))
    .flatMap((folder) => [...new Bun.Glob(`${folder}/**/*.ts`).scanSync({ cwd: home })].sort())
    .map((path) => ({ path, text: readFileSync(join(home, path), "utf8") }));
}

/** Top-level directories that the repository holds, and those directly under src/, each with `/` at its end. */
function directories(): string[] {
  const ignored = readFileSync(join(home, ".gitignore"), "utf8").split("\n");
  const below = (folder: string) =>
    readdirSync(join(home, folder), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [`${folder}${entry.name}/`] : [],
    );
  const top = below("").filter((name) => name !== ".git/" && !ignored.includes(`/${name}`));
  return [...top, ...below("src/")];
}

describe("the repository", () => {
  test("imports go down only", () => {
    const files = filesIn("src");
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap((file) => importViolations(file, packages))).toEqual([]);
  });

  test("no file is longer than it may be", () => {
    expect(filesIn("src", "test", "bench", "scripts").flatMap(lengthViolations)).toEqual([]);
  });

  test("nothing is exported as default", () => {
    expect(filesIn("src", "test", "bench", "scripts").flatMap(defaultExportViolations)).toEqual([]);
  });

  test("docs/architecture.md has a line for every directory", () => {
    const guide = readFileSync(join(home, "docs/architecture.md"), "utf8");
    expect(undescribed(guide, directories())).toEqual([]);
  });
});

describe("each rule fires", () => {
  const violations = (path: string, text: string) => importViolations({ path, text }, ["yaml", "@grpc/grpc-js"]);

  test.each([
    ["static", 'import { run } from "../engine/run.ts";'],
    ["type-only", 'import type { Run } from "../engine/run.ts";'],
    ["over several lines", 'import {\n  type Run,\n  run,\n} from "../engine/run.ts";'],
    ["for its effect", 'import "../engine/run.ts";'],
    ["dynamic", 'const { run } = await import("../engine/run.ts");'],
    ["in a type", 'type Run = import("../engine/run.ts").Run;'],
    ["re-export", 'export * from "../engine/run.ts";'],
    ["named re-export", 'export { run } from "../engine/run.ts";'],
    ["required", 'const { run } = require("../engine/run.ts");'],
  ])("an upward import, %s", (_, text) => {
    expect(violations("src/image/pull.ts", text)).toEqual([
      "src/image/pull.ts imports src/engine/run.ts: upward (image → engine)",
    ]);
  });

  test("an import of a sibling tier", () => {
    expect(violations("src/image/pull.ts", 'import { lease } from "../network/lease.ts";')).toEqual([
      "src/image/pull.ts imports src/network/lease.ts: sideways (image → network)",
    ]);
    expect(violations("src/recipe/run.ts", 'import { open } from "../state/database.ts";')).toEqual([
      "src/recipe/run.ts imports src/state/database.ts: sideways (recipe → state)",
    ]);
  });

  test("an upward import from the ground", () => {
    expect(violations("src/errors.ts", 'import { image } from "./spec/image.ts";')).toEqual([
      "src/errors.ts imports src/spec/image.ts: upward (errors → spec)",
    ]);
  });

  test("an import of tests, benchmarks and tools", () => {
    expect(violations("src/cli/main.ts", 'import { x } from "../../test/harness/galley.ts";')).toEqual([
      "src/cli/main.ts imports test/harness/galley.ts: outside src/",
    ]);
    expect(violations("src/cli/main.ts", 'import { x } from "../../bench/main.ts";')).toEqual([
      "src/cli/main.ts imports bench/main.ts: outside src/",
    ]);
  });

  test("a folder without a place in the order", () => {
    expect(violations("src/utils/text.ts", 'import { x } from "../errors.ts";')).toHaveLength(1);
    expect(violations("src/cli/main.ts", 'import { x } from "../utils/text.ts";')).toHaveLength(1);
  });

  test("a computed import and an undeclared package", () => {
    expect(violations("src/cli/main.ts", "await import(name);")).toEqual(["src/cli/main.ts imports a computed path"]);
    expect(violations("src/cli/main.ts", 'import x from "left-pad";')).toEqual([
      "src/cli/main.ts imports left-pad: no dependency in package.json",
    ]);
  });

  test("a file that is too long and a default export", () => {
    const text = "x;\n".repeat(MAX_LINES + 1);
    expect(lengthViolations({ path: "src/a.ts", text })).toEqual(["src/a.ts has 401 lines, more than 400"]);
    for (const text of ["export default 1;", "const a = 1;\nexport { a as default };", "export default class {}"]) {
      expect(defaultExportViolations({ path: "src/a.ts", text })).toEqual(["src/a.ts has a default export"]);
    }
  });

  test("a directory that the guide leaves out, or only mentions", () => {
    const guide = "| `src/cli/` | the waiter |\n- `bench/`: speed\nSee also src/engine/ and `docs/`\n";
    expect(undescribed(guide, ["src/cli/", "src/engine/", "bench/", "docs/"])).toEqual([
      "docs/architecture.md has no line for src/engine/",
      "docs/architecture.md has no line for docs/",
    ]);
  });
});

describe("nothing fires on what is right", () => {
  test("downward, inside a tier, built-in and declared imports", () => {
    const text = [
      'import { GalleyError } from "../../errors.ts";',
      'import { blob } from "./blob.ts";',
      'import { parse } from "yaml";',
      'import { credentials } from "@grpc/grpc-js/build/x.js";',
      'import { join } from "node:path";',
      'const { open } = await import("../../state/database.ts");',
    ].join("\n");
    expect(importViolations({ path: "src/image/content/store.ts", text }, ["yaml", "@grpc/grpc-js"])).toEqual([]);
  });

  test("comments, strings and words that look alike", () => {
    const text = [
      '/** import { x } from "../engine/x.ts"; */',
      '// await import("../engine/x.ts")',
      'const hint = "copied from here";',
      "const url = new URL(import.meta.url);",
      'loader.import("../engine/x.ts");',
      "export const important = 1;",
    ].join("\n");
    expect(importsOf(text)).toEqual([]);
  });

  test("a file of the greatest length and a named export", () => {
    expect(lengthViolations({ path: "src/a.ts", text: "x;\n".repeat(MAX_LINES) })).toEqual([]);
    expect(
      defaultExportViolations({ path: "src/a.ts", text: "export const byDefault = 1; // export default" }),
    ).toEqual([]);
  });

  test("a tree drawn with names alone", () => {
    expect(undescribed("src/\n  cli/   the waiter\nsrc/  the house\n", ["src/", "src/cli/"])).toEqual([]);
  });
});
