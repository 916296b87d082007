import { expect, test } from "bun:test";
import { interleave } from "./measurement.ts";
import { median, percentile, rotated } from "./statistics.ts";
import { summarize, table } from "./table.ts";

test("the median and percentiles of samples", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(percentile([5, 1, 4, 2, 3], 0.95)).toBe(5);
  expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
  expect(() => median([])).toThrow("no samples");
});

test("who goes first changes, and the first round is not counted", async () => {
  expect(rotated(["a", "b", "c"], 4)).toEqual(["b", "c", "a"]);
  const order: string[] = [];
  const sampler = (name: string) => () => order.push(name);
  const samples = await interleave({ a: sampler("a"), b: sampler("b") }, 2);
  expect(order).toEqual(["a", "b", "a", "b", "b", "a"]);
  expect(samples).toEqual({ a: [3, 6], b: [4, 5] });
});

test("promises are measured against the peers that were there", () => {
  const work = "run --rm IMAGE true (bridge network)";
  const summary = summarize({ work, unit: "ms", samples: { galley: [30, 30, 90], docker: [400], podman: [200] } });
  expect(summary.ratios.docker).toBeCloseTo(13.33, 2);
  expect(summary.goals).toEqual([
    { text: "1/10 of docker", met: true },
    { text: "1/8 of podman", met: false },
  ]);
});

test("a bound of its own and one with an allowance", () => {
  const idle = summarize({
    work: "private memory for each of 5 idle containers",
    unit: "KiB",
    samples: { galley: [1025] },
  });
  expect(idle.goals).toEqual([{ text: "at most 1024 KiB", met: false }]);
  const version = summarize({ work: "--version", unit: "ms", samples: { galley: [4.4], bun: [1.5] } });
  expect(version.goals).toEqual([{ text: "bun + 3 ms", met: true }]);
});

test("the table has a column for each contestant", () => {
  const rows = [
    summarize({ work: "exec", unit: "ms", samples: { galley: [10], docker: [150] } }),
    summarize({ work: "other", unit: "ms", samples: { galley: [2] } }),
  ];
  expect(table(rows)).toBe(
    [
      "| work  | galley  | docker         | goal               |",
      "|-------|---------|----------------|--------------------|",
      "| exec  | 10.0 ms | 150 ms (×15.0) | met: 1/6 of docker |",
      "| other | 2.00 ms | –              |                    |",
    ].join("\n"),
  );
});
