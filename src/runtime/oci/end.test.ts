import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processesIn } from "./end.ts";

test("processes are those of a cgroup and of all below it; a cgroup that goes meanwhile has none", () => {
  const mountPoint = mkdtempSync(join(tmpdir(), "galley-end-"));
  const v2 = { mountPoint, controllers: [], root: "/", self: "/" };
  const layout = { mode: "v2", v1: [], v2 } as const;
  try {
    // What is removed has lost its files before its directory is not listed any more.
    for (const name of ["c/below/deep", "c/going"]) mkdirSync(join(mountPoint, name), { recursive: true });
    for (const [name, pids] of [
      ["c", "30\n"],
      ["c/below", ""],
      ["c/below/deep", "4\n30\n7\n"],
    ] as const) {
      writeFileSync(join(mountPoint, name, "cgroup.procs"), pids);
    }
    expect(processesIn("/c", layout)).toEqual([4, 7, 30]);
    expect(processesIn("/none", layout)).toEqual([]);
  } finally {
    rmSync(mountPoint, { recursive: true });
  }
});
