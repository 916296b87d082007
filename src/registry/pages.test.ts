import { expect, test } from "bun:test";
import { pageOf } from "./pages.ts";

const all = ["a", "b", "c", "d", "e"];
const page = (query: string, most = 100) =>
  pageOf(all, (name) => name, { path: "/list", query: new URLSearchParams(query), most });

test("a page has as many names as were asked for, and leads to the next one", () => {
  expect(page("n=2")).toEqual({ items: ["a", "b"], link: '</list?n=2&last=b>; rel="next"' });
  expect(page("n=2&last=b")).toEqual({ items: ["c", "d"], link: '</list?n=2&last=d>; rel="next"' });
  expect(page("n=2&last=d")).toEqual({ items: ["e"], link: undefined });
  expect(page("n=5").link).toBeUndefined();
});

test("last need not be in the list", () => {
  expect(page("last=bb").items).toEqual(["c", "d", "e"]);
  expect(page("last=z").items).toEqual([]);
});

test("none are given, without a link, where none are asked for", () => {
  expect(page("n=0")).toEqual({ items: [], link: undefined });
});

test("other parameters stay in the link", () => {
  expect(page("artifactType=x%2Fy&n=1").link).toBe('</list?artifactType=x%2Fy&n=1&last=a>; rel="next"');
});

test("an answer has a most", () => {
  expect(page("n=50", 3)).toEqual({ items: ["a", "b", "c"], link: '</list?n=3&last=c>; rel="next"' });
});

test("what is no number is refused", () => {
  expect(() => page("n=many")).toThrow("whole number");
});
