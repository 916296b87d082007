import { expect, test } from "bun:test";
import { alignTabs } from "./tabwriter.ts";

test("columns are at least ten wide and three apart", () => {
  const text = "NAMES\tIMAGE\tSTATUS\nweb\tregistry.example/app\tUp\n\tx\t\n";
  expect(alignTabs(text)).toBe(
    "NAMES     IMAGE                  STATUS\nweb       registry.example/app   Up\n          x                      \n",
  );
});

test("what follows the last tab belongs to no column", () => {
  expect(alignTabs("a\tlong text at the end\nb\tx\n")).toBe("a         long text at the end\nb         x\n");
});

test("a line without cells divides a column", () => {
  expect(alignTabs("aaaaaaaaaaaa\tx\n\nb\ty\n")).toBe("aaaaaaaaaaaa   x\n\nb         y\n");
});

test("wide characters count double", () => {
  expect(alignTabs("日本語日本語\tx\nab\ty\n")).toBe("日本語日本語   x\nab             y\n");
});

test("top's columns are twenty wide", () => {
  expect(alignTabs("PID\tCMD\n1\tsh\n", { least: 20, padding: 3 })).toBe(
    "PID                 CMD\n1                   sh\n",
  );
});
