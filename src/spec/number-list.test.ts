import { expect, test } from "bun:test";
import { isNumberList, numberMask, numbersOf } from "./number-list.ts";

test.each([
  ["", []],
  ["0", [0]],
  ["7,1-3, 2", [1, 2, 3, 7]],
  ["0-7:1/4,9", [0, 4, 9]],
])("%j names numbers", (text, numbers) => {
  expect(numbersOf(text)).toEqual(numbers);
});

test.each(["a", "3-1", "-1", "1-", "0x1", "0-9876543210", "1;2", "0-3:1"])("%j is no list", (text) => {
  expect(isNumberList(text)).toBe(false);
  expect(() => numbersOf(text)).toThrow(RangeError);
});

test.each([
  ["", []],
  ["0", [1, 0, 0, 0, 0, 0, 0, 0]],
  ["1-3,8", [0b1110, 1, 0, 0, 0, 0, 0, 0]],
  ["63", [0, 0, 0, 0, 0, 0, 0, 128]],
  ["64", [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]],
])("%j is a mask of whole words", (text, bytes) => {
  expect([...numberMask(text)]).toEqual(bytes);
});
