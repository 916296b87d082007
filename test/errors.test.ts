import { expect, test } from "bun:test";
import { openSync } from "node:fs";
import { toGalleyError } from "../src/errors.ts";

/** What is said of a file that cannot be opened, about a subject. */
function told(path: string, subject?: string): string {
  try {
    openSync(path, "r");
  } catch (failure) {
    return toGalleyError(failure, subject === undefined ? {} : { op: "open", subject }).describe();
  }
  return "it was opened";
}

test("a path is told once", () => {
  expect(told("/nosuch", "/nosuch")).toBe("open /nosuch: ENOENT: no such file or directory");
  expect(told("/nosuch/a.partial-1", "/nosuch/a")).toBe("open /nosuch/a: ENOENT: no such file or directory");
  expect(told("/nosuch", "other")).toBe("open other: ENOENT: no such file or directory, open '/nosuch'");
  expect(told("/nosuch")).toBe("ENOENT: no such file or directory, open '/nosuch'");
});
