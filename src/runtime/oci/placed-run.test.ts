import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hold, type Place } from "./placed-run.ts";

/** More than a pipe holds. */
const RECIPE = "x".repeat(1 << 20);

/** Runs a shell command that has the held recipe as `$1`. */
async function held(command: string, place: Place): Promise<{ readonly out: string; readonly failure: unknown }> {
  const folder = mkdtempSync(join(tmpdir(), "galley-held-"));
  try {
    const path = join(folder, "recipe");
    writeFileSync(path, RECIPE);
    const run = hold(path, place);
    const child = Bun.spawn(["sh", "-c", command, "sh", run.path], { stdio: ["ignore", "pipe", "ignore"] });
    const given = run.place(child.pid).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    const out = await new Response(child.stdout).text();
    return { out, failure: await given };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a recipe goes whole to a reader that comes when it likes", async () => {
  const { out, failure } = await held('sleep 0.05; exec cat "$1"', async () => {});
  expect(failure).toBeUndefined();
  expect(out === RECIPE).toBe(true);
});

test("a reader that is ended while it is placed, or while it reads, keeps nobody waiting", async () => {
  const placed = await held("exec sleep 1000", async (pid) => {
    process.kill(pid, "SIGTERM");
  });
  expect(String(placed.failure)).toContain("was ended before it had its recipe");
  const reading = await held('exec 3<"$1"; kill -9 $$', async () => {});
  expect(String(reading.failure)).toContain("was ended before it had its recipe");
});

test("a reader that cannot be placed is ended", async () => {
  const { failure } = await held("exec sleep 1000", () => Promise.reject(new Error("not there")));
  expect(String(failure)).toContain("not there");
});
