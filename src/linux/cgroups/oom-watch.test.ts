import { expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchOom } from "./oom-watch.ts";

test("v2: a kill is told once, and the end also where only the directory's removal tells it", () => {
  const directory = mkdtempSync(join(tmpdir(), "galley-oom-"));
  const counter = join(directory, "memory.events");
  const kills = (count: number): void => writeFileSync(counter, `low 0\noom_kill ${count}\n`);
  kills(0);
  writeFileSync(join(directory, "cgroup.events"), "populated 1\nfrozen 0\n");
  using watch = watchOom({ version: 2, counter });
  expect(watch.await(0)).toBe("none");
  kills(1);
  expect(watch.await(0)).toBe("oom");
  // As little is told of this as of the removal of a cgroup.
  renameSync(directory, `${directory}-gone`);
  expect(watch.await(0)).toBe("gone");
  rmSync(`${directory}-gone`, { recursive: true });
});
