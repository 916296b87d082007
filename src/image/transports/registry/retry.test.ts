import { expect, test } from "bun:test";
import { ATTEMPTS, delayBefore, LONGEST_WAIT, pause, retryAfter } from "./retry.ts";

test("Retry-After is a number of seconds or a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(retryAfter(null)).toBeUndefined();
  expect(retryAfter("7")).toBe(7);
  expect(retryAfter("Thu, 01 Jan 2026 00:00:30 GMT", now)).toBe(30);
  expect(retryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now)).toBe(0);
  for (const nonsense of ["soon", "-5", "1.5", ""]) expect(retryAfter(nonsense)).toBeUndefined();
});

test("waits double and are spread; the registry's own wish wins; both are bounded", () => {
  expect([1, 2, 3, 4].map((attempt) => delayBefore(attempt, undefined, {}, 0.5))).toEqual([0.5, 1, 2, 4]);
  expect(delayBefore(1, undefined, {}, 0)).toBe(0.375);
  expect(delayBefore(ATTEMPTS, undefined)).toBeUndefined();
  expect(delayBefore(1, 9)).toBe(9);
  expect(delayBefore(1, LONGEST_WAIT + 1)).toBeUndefined();
});

test("somebody may say how often, and after what", () => {
  expect(delayBefore(1, undefined, { retries: 0 })).toBeUndefined();
  expect(delayBefore(7, undefined, { retries: 7, delay: 3 })).toBe(3);
  expect(delayBefore(8, undefined, { retries: 7, delay: 3 })).toBeUndefined();
  expect(delayBefore(ATTEMPTS - 1, undefined, { delay: 3 })).toBe(3);
  expect(delayBefore(ATTEMPTS, undefined, { delay: 3 })).toBeUndefined();
  expect(delayBefore(1, 9, { delay: 3 })).toBe(9);
});

test("a wait ends with the signal", async () => {
  const controller = new AbortController();
  const waiting = pause(60, controller.signal);
  controller.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(pause(60, controller.signal)).rejects.toThrow("enough");
  await pause(0);
});
