import { expect, test } from "bun:test";
import { describeStreams, pipesIn } from "./descriptors.ts";

test("pipes are told by the stream that they were", () => {
  expect(pipesIn('["/dev/null","pipe:[12]","pipe:[13]"]')).toEqual([
    { key: "pipe:[12]", fd: 1 },
    { key: "pipe:[13]", fd: 2 },
  ]);
  expect(pipesIn("null")).toEqual([]);
  expect(pipesIn('["pipe:[1]/../x","xpipe:[1]","pipe:[]"]')).toEqual([]);
});

test.each(["{", "{}", '"pipe:[1]"', "[1]", '["a","b","c","d"]', '[["pipe:[1]"]]'])("%s is refused", (text) => {
  expect(() => pipesIn(text)).toThrow();
});

test("this process's streams are described, a process that is not there has none", () => {
  expect(JSON.parse(describeStreams(process.pid))).toHaveLength(3);
  expect(JSON.parse(describeStreams(2 ** 22 + 1))).toEqual(["/dev/null", "/dev/null", "/dev/null"]);
});
