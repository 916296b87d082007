import { expect, test } from "bun:test";
import { whileUsed } from "./while-used.ts";

/** Counts what is made and closed; the first `failures` attempts to make one fail. */
function counted(failures = 0) {
  const counts = { made: 0, closed: 0 };
  const use = whileUsed(async () => {
    if (++counts.made <= failures) throw new Error("not yet");
    return { number: counts.made, close: () => void counts.closed++ };
  });
  return { counts, use };
}

test("those who use it at once share one, which the last of them closes", async () => {
  const { counts, use } = counted();
  const first = Promise.withResolvers<void>();
  const slow = use(({ number }) => first.promise.then(() => number));
  expect(await use(async ({ number }) => number)).toBe(1);
  expect(counts).toEqual({ made: 1, closed: 0 });
  first.resolve();
  expect(await slow).toBe(1);
  expect(counts).toEqual({ made: 1, closed: 1 });
  expect(await use(async ({ number }) => number)).toBe(2);
  expect(counts).toEqual({ made: 2, closed: 2 });
});

test("a failure of the maker is told to all who wait, and of a user to that one alone", async () => {
  const { counts, use } = counted(1);
  const told = await Promise.allSettled([use(async () => 1), use(async () => 2)]);
  expect(told.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await expect(use(() => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
  expect(counts).toEqual({ made: 2, closed: 1 });
});
