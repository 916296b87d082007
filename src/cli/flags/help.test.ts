import { expect, test } from "bun:test";
import { describeFlags } from "./help.ts";
import { bool, int, list, string } from "./kinds.ts";

test("names are aligned, sorted and wrapped as docker's", () => {
  const flags = {
    "no-trunc": bool({ usage: "Don't truncate output" }),
    all: bool({ short: "a", usage: "Show all containers (default shows just running)" }),
    last: int({ short: "n", usage: "Show n last created containers (includes all states)", shownDefault: "-1" }),
    old: list({ usage: "hidden", hidden: true }),
    format: string({
      usage:
        "Format output using a custom template:\n'table':   Print output in table format with column headers (default)",
    }),
  };
  expect(describeFlags(flags, 79)).toBe(
    `  -a, --all             Show all containers (default shows just running)
      --format string   Format output using a custom template:
                        'table':   Print output in table format with
                        column headers (default)
  -n, --last int        Show n last created containers (includes all
                        states) (default -1)
      --no-trunc        Don't truncate output`,
  );
});
