import { expect, test } from "bun:test";
import { count, parseReport, resultsOf, summary } from "./test-report.ts";

const report = `<?xml version="1.0"?>
<testsuites tests="4"><testsuite name="a.test.ts" file="a.test.ts">
  <testcase name="plain" classname="" time="0" file="a.test.ts" line="2" assertions="0" />
  <testcase name="says &quot;a &gt; b&quot;" classname="outer &amp; inner" time="0" file="a.test.ts">
    <failure type="AssertionError" message="x&#10;">text</failure>
  </testcase>
  <testcase name="later" classname="" file="a.test.ts">
    <skipped message="TODO" />
  </testcase>
  <testcase name="last" classname="" file="a.test.ts" />
</testsuite></testsuites>`;

test("a report gives each test's name and outcome", () => {
  expect(parseReport(report)).toEqual([
    { file: "a.test.ts", name: "plain", outcome: "passed" },
    { file: "a.test.ts", name: 'outer & inner > says "a > b"', outcome: "failed" },
    { file: "a.test.ts", name: "later", outcome: "skipped" },
    { file: "a.test.ts", name: "last", outcome: "passed" },
  ]);
});

test("a process that fails without a failed test counts as one failure", () => {
  const passing = report.replace(/<failure[\s\S]*?<\/failure>/, "");
  expect(count(resultsOf("a.test.ts", passing, 1))).toEqual({ passed: 3, failed: 1, skipped: 1 });
  expect(count(resultsOf("a.test.ts", report, 1))).toEqual({ passed: 2, failed: 1, skipped: 1 });
  expect(count(resultsOf("a.test.ts", undefined, 139))).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("a file that ran nothing is a failure", () => {
  expect(count(resultsOf("a.test.ts", undefined, 0))).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("the summary names what failed and what was skipped and ends with the counts", () => {
  expect(summary(resultsOf("a.test.ts", report, 1))).toEqual([
    "",
    "skipped: a.test.ts: later",
    'failed: a.test.ts: outer & inner > says "a > b"',
    "2 passed, 1 failed, 1 skipped",
  ]);
});
