import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "../../recipe/encode.ts";
import type { Recipe } from "../../recipe/recipe.ts";
import { parseReport, type Report } from "../../recipe/report.ts";
import { stepFailure } from "./failure.ts";

/**
 * Runs the native program for a recipe, both recipe and report being files, which a process that lives on does not hold up. `run` starts it
 * with them, and resolves once the report has been written. A failed step has been undone; it is thrown. `op` is for messages.
 */
export async function reportedRun<T>(
  recipe: Recipe,
  op: string,
  run: (path: string, report: number) => Promise<T>,
): Promise<{ readonly report: Report; readonly result: T }> {
  const folder = mkdtempSync(join(tmpdir(), "galley-runtime-"));
  const report = openSync(join(folder, "report"), "wx+", 0o600);
  try {
    const path = join(folder, "recipe");
    writeFileSync(path, encode(recipe), { mode: 0o600 });
    const result = await run(path, report);
    const read = parseReport(readFileSync(join(folder, "report")), recipe.sections.outside?.length ?? 0);
    if (read.failure !== undefined) throw stepFailure(recipe, read.failure, op);
    return { report: read, result };
  } finally {
    closeSync(report);
    rmSync(folder, { recursive: true, force: true });
  }
}
