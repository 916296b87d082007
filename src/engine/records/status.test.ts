import { expect, test } from "bun:test";
import { parseStatus } from "./status.ts";
import { isoTime } from "./view.ts";

const RUNNING = `state running
shim 100 5000
init 101 5001
started 1700000000123456789
restarts 2
boot 0d3b
`;

test("a container that runs", () => {
  expect(parseStatus(RUNNING)).toEqual({
    state: "running",
    shim: { pid: 100, startTime: "5000" },
    init: { pid: 101, startTime: "5001" },
    started: "1700000000123456789",
    exitCode: 0,
    oomKilled: false,
    restarts: 2,
    boot: "0d3b",
  });
});

test("one that was killed for its memory, and whose restart failed", () => {
  const text = `${RUNNING.replace("running", "exited")}finished 7\nexit 137\nsignal 9\noom 1\nfailed 0 4 28\n`;
  const { state, finished, exitCode, oomKilled, failed } = parseStatus(text) ?? {};
  expect([state, finished, exitCode, oomKilled, failed]).toEqual(["exited", "7", 137, true, "0 4 28"]);
});

test("what is no status", () => {
  expect(parseStatus("")).toBeUndefined();
  expect(parseStatus("state flying\n")).toBeUndefined();
});

test("Unix nanoseconds as text keep all their digits", () => {
  expect(isoTime("1700000000123456789")).toBe("2023-11-14T22:13:20.123456789Z");
  expect(isoTime("5")).toBe("1970-01-01T00:00:00.000000005Z");
});
