import { expect, test } from "bun:test";
import { DetachMatcher, defaultDetachKeys, parseDetachKeys } from "./detach-keys.ts";

test("keys by name", () => {
  expect([...parseDetachKeys(defaultDetachKeys)]).toEqual([16, 17]);
  expect([...parseDetachKeys("a,ctrl-@,ctrl-Z,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_")]).toEqual([
    97, 0, 26, 27, 28, 29, 30, 31,
  ]);
});

for (const bad of ["foo", "ctrl-", "ctrl-1", "a,", "é", "ctrl-ab"]) {
  test(`'${bad}' is refused`, () => expect(() => parseDetachKeys(bad)).toThrow("invalid detach keys"));
}

/** Feeds text in pieces; a star is the sequence's completion. */
function feed(keys: string, ...pieces: readonly string[]): string {
  const matcher = new DetachMatcher(Buffer.from(keys));
  return pieces
    .map((piece) => {
      const { pass, detached } = matcher.feed(Buffer.from(piece));
      return `${Buffer.from(pass).toString()}${detached ? "*" : ""}`;
    })
    .join("|");
}

test("the sequence ends it, in one piece or in several", () => {
  expect(feed("pq", "abpqcd")).toBe("ab*");
  expect(feed("pq", "abp", "q")).toBe("ab|*");
});

test("keys that only began it are passed on late", () => {
  expect(feed("pq", "p", "x", "q")).toBe("|px|q");
  expect(feed("pq", "pp", "q")).toBe("p|*");
  expect(feed("aab", "aaab")).toBe("a*");
  expect(feed("abac", "ababac")).toBe("ab*");
  expect(feed("aa", "a", "b", "aa")).toBe("|ab|*");
});

test("bytes that are no text pass unchanged", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const { pass } = new DetachMatcher(Uint8Array.of(16, 17, 18, 200)).feed(bytes);
  expect(pass).toEqual(bytes);
});
