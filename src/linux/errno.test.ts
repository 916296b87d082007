import { expect, test } from "bun:test";
import { describeErrno, errno, errnoName, errnoNumber, errnoText } from "./errno.ts";

test("names and numbers translate both ways", () => {
  expect(errnoName(2)).toBe("ENOENT");
  expect(errnoName(-110)).toBe("ETIMEDOUT");
  expect(errnoNumber("EPERM")).toBe(1);
  expect(errnoNumber("ehwpoison")).toBe(133);
  expect(errnoNumber("EWOULDBLOCK")).toBe(11);
  expect(errnoNumber("ENOTSUP")).toBe(95);
});

test("numbers that Linux does not use have no name", () => {
  for (const unused of [0, 41, 58, 134, 4096]) expect(errnoName(unused)).toBeUndefined();
  expect(errnoNumber("EFOO")).toBeUndefined();
  expect(errnoText(4096)).toBe("Unknown error 4096");
});

test("a description has the name and the text", () => {
  expect(describeErrno(13)).toBe("EACCES: Permission denied");
  expect(describeErrno(999)).toBe("errno 999: Unknown error 999");
});

test("the constants agree with the table", () => {
  for (const [name, number] of Object.entries(errno)) expect(errnoNumber(name)).toBe(number);
});
