import { describe, expect, test } from "bun:test";
import type { PullEvent } from "../../image/types.ts";
import { drawLine, LayerBoard } from "./layer-board.ts";
import { LiveLines } from "./live-lines.ts";
import { liveDisplay } from "./pull-display.ts";

const layer = (id: string, status: "waiting" | "exists" | "downloaded" | "complete"): PullEvent => ({
  kind: "layer",
  id,
  status,
  total: 10,
});

describe("a line", () => {
  const line = { id: "abc", text: "Downloading", done: false, current: 2_500_000, total: 10_000_000 };

  test("has a bar as wide as there is room for", () => {
    expect(drawLine(line, 60)).toBe("abc: Downloading [=======>                     ]  2.5MB/10MB");
    expect(drawLine(line, 200)).toBe(`abc: Downloading [${"=".repeat(12)}>${" ".repeat(37)}]  2.5MB/10MB`);
  });

  test("drops the bar, then its end, where there is not", () => {
    expect(drawLine(line, 40)).toBe("abc: Downloading  2.5MB/10MB");
    expect(drawLine(line, 10)).toBe("abc: Downl");
  });

  test("is full at the end, and has no bar without a total", () => {
    expect(drawLine({ ...line, current: 10_000_000 }, 50)).toContain(`[${"=".repeat(20)}]`);
    expect(drawLine({ id: "abc", text: "Extracting", done: false, current: 5 }, 80)).toBe("abc: Extracting  5B");
  });
});

test("what does not fit leaves those that are finished out", () => {
  const board = new LayerBoard();
  for (const id of ["a", "b", "c", "d"]) board.apply(layer(id, id < "c" ? "complete" : "waiting"));
  expect(board.visible(4)).toHaveLength(4);
  expect(board.visible(3)).toEqual([
    { id: "c", text: "Waiting", done: false },
    { id: "d", text: "Waiting", done: false },
    "2 of 4 layers are complete",
  ]);
});

test("a layer that is fetched in part says what was not, as podman does", () => {
  const board = new LayerBoard();
  expect(board.apply({ kind: "skipping", id: "a", bytes: 64_330_000, total: 66_680_000 })).toBeUndefined();
  expect(board.apply(layer("a", "downloaded"))?.text).toBe("Download complete (skipped: 64.33MB = 96.48%)");
  expect(board.apply(layer("a", "complete"))?.text).toBe("Pull complete");
  expect(board.apply(layer("b", "downloaded"))?.text).toBe("Download complete");
});

test("a line is news only when its words change", () => {
  const board = new LayerBoard();
  const downloading = (current: number): PullEvent => ({ kind: "downloading", id: "a", current, total: 9 });
  expect(board.apply(downloading(1))?.text).toBe("Downloading");
  expect(board.apply(downloading(2))).toBeUndefined();
  expect(board.apply(layer("a", "complete"))?.done).toBe(true);
});

test("a layer that is unpacked while it arrives shows its arrival first", () => {
  const board = new LayerBoard();
  board.apply({ kind: "downloading", id: "a", current: 1, total: 9 });
  expect(board.apply({ kind: "extracting", id: "a", current: 4 })).toBeUndefined();
  board.apply(layer("a", "downloaded"));
  expect(board.apply({ kind: "extracting", id: "a", current: 5 })?.text).toBe("Extracting");
});

describe("lines on a screen", () => {
  function screen(columns: number) {
    const written: string[] = [];
    const size = { rows: 10, columns };
    return { written, size, live: new LiveLines({ write: (text) => void written.push(text), size: () => size }) };
  }

  test("are drawn over the last ones", () => {
    const { written, live } = screen(20);
    live.draw(["one", "two"]);
    live.draw(["three"]);
    expect(written).toEqual(["one\x1b[K\ntwo\x1b[K\n\x1b[J", "\r\x1b[2Athree\x1b[K\n\x1b[J"]);
  });

  test("know that a narrower window has wrapped them", () => {
    const { written, size, live } = screen(20);
    live.draw(["0123456789", "ab"]);
    size.columns = 4;
    live.draw(["x"]);
    expect(written[1]).toStartWith("\r\x1b[4A");
  });
});

test("a display draws its last state when it is closed, and only then if all was quick", () => {
  const written: string[] = [];
  const display = liveDisplay({ write: (text) => void written.push(text), size: () => ({ rows: 5, columns: 80 }) });
  display.event({ kind: "resolved", name: "library/busybox", tag: "latest", digest: "sha256:1" });
  display.event(layer("a", "waiting"));
  display.event(layer("a", "complete"));
  display.close();
  expect(written.join("")).toBe("\x1b[Jlatest: Pulling from library/busybox\na: Pull complete\x1b[K\n\x1b[J");
});
