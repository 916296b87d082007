/** What became of one test. A test's name is its path through the `describe` blocks, joined with ` > `. */
export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
}

/** How many tests ended in which way. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Reads the JUnit report that `bun test --reporter=junit` writes. A test marked todo counts as skipped. */
export function parseReport(xml: string): TestResult[] {
  const cases = /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  return [...xml.matchAll(cases)].map(([, attributes = "", body = ""]) => ({
    file: attribute(attributes, "file"),
    name: [attribute(attributes, "classname"), attribute(attributes, "name")].filter(Boolean).join(" > "),
    outcome: outcomeOf(body),
  }));
}

function outcomeOf(body: string): TestResult["outcome"] {
  if (body.includes("<skipped")) return "skipped";
  return body.includes("<failure") || body.includes("<error") ? "failed" : "passed";
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value.replace(/&(amp|lt|gt|quot|apos|#\d+);/g, (_, entity: string) => decodeEntity(entity));
}

function decodeEntity(entity: string): string {
  const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return named[entity] ?? String.fromCodePoint(Number(entity.slice(1)));
}

/**
 * The results of one file, given its report (undefined where none was written) and how its process ended. A process
 * that failed without a failed test, one that did not load for example, and one that ran nothing count as a failure.
 */
export function resultsOf(file: string, xml: string | undefined, exitCode: number): TestResult[] {
  const results = parseReport(xml ?? "");
  const failed = results.some((result) => result.outcome === "failed");
  if (exitCode !== 0 && !failed)
    return [...results, { file, name: `the file (exit status ${exitCode})`, outcome: "failed" }];
  if (results.length === 0) return [{ file, name: "the file (it holds no test)", outcome: "failed" }];
  return results;
}

/** Adds the outcomes up. */
export function count(results: readonly TestResult[]): Counts {
  const of = (outcome: TestResult["outcome"]) => results.filter((result) => result.outcome === outcome).length;
  return { passed: of("passed"), failed: of("failed"), skipped: of("skipped") };
}

/** The closing lines: each failed and each skipped test by name, then the counts alone on the last line. */
export function summary(results: readonly TestResult[]): string[] {
  const named = (outcome: TestResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).map(({ file, name }) => `${outcome}: ${file}: ${name}`);
  const { passed, failed, skipped } = count(results);
  return ["", ...named("skipped"), ...named("failed"), `${passed} passed, ${failed} failed, ${skipped} skipped`];
}
