import { expect, test } from "bun:test";
import { GalleyError } from "../errors.ts";
import { parseSignal, signalName, signals } from "./signals.ts";

test.each([
  ["9", 9],
  ["KILL", 9],
  ["SIGKILL", 9],
  ["sigterm", 15],
  ["Usr1", 10],
  ["CLD", 17],
  ["SIGIOT", 6],
  ["RTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["rtmax-2", 62],
  ["SIGRTMAX", 64],
  ["RTMIN+30", 64],
  ["33", 33],
  ["64", 64],
])("%s is signal %d", (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test.each([
  "",
  "0",
  "-9",
  "65",
  "SIG",
  "KILLED",
  "RTMIN-1",
  "RTMIN+31",
  "RTMAX+1",
  "RTMAX-31",
  "9x",
  "toString",
  "1e1",
  "SIGSIGKILL",
])("%p is refused by name", (text) => {
  expect(() => parseSignal(text)).toThrow(GalleyError);
  expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
});

test("every number has a name that is parsed back to it", () => {
  for (let number = 1; number <= 64; number += 1) expect(parseSignal(signalName(number))).toBe(number);
  expect(signalName(37)).toBe("SIGRTMIN+3");
  expect(signalName(65)).toBe("65");
  expect(Object.keys(signals)).toHaveLength(31);
});
