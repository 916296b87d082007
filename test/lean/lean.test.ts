/** The OCI runtime's tests once more, on the lean program: what it does itself and what it hands over to the whole one. */
import { beforeAll, describe, expect } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../harness/requirements.ts";

const home = join(import.meta.dir, "../..");
const directory = join(home, "build/test-lean");
const program = join(directory, "galley-runtime");

/** The engine is compiled by the first call on a machine. */
const BUILD_LIMIT = 600_000;
const SUITE_LIMIT = 600_000;

beforeAll(() => {
  mkdirSync(directory, { recursive: true });
  const built = Bun.spawnSync([process.execPath, join(home, "scripts/build-lean.ts"), program]);
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
  // The whole program is the clone's launcher, called by the name that it would be called by.
  const launcher = join(directory, "launcher", "galley-runtime");
  mkdirSync(join(directory, "launcher"), { recursive: true });
  rmSync(launcher, { force: true });
  symlinkSync(join(home, "bin/galley"), launcher);
  writeFileSync(join(directory, "galley"), `#!/bin/sh\nexec ${launcher} "$@"\n`, { mode: 0o755 });
}, BUILD_LIMIT);

/** native/lean/arena.h, struct order: bytes written to, bytes read, allocations, then a byte for the region of each. */
testWith({ root: true }, "what a start touches lies together, apart from the rest", () => {
  const order = readFileSync(join(home, "build/lean/order"));
  const [written, read] = [order.readBigUInt64LE(0), order.readBigUInt64LE(8)];
  const regions = order.subarray(24);
  const blocks = [0, 1, 2].map((region) => regions.filter((it) => it === region).length);
  expect(regions.length).toBe(Number(order.readBigUInt64LE(16)));
  for (const count of blocks) expect(count).toBeGreaterThan(1000);
  // More than a small part would mean that something else than the starts was traced.
  expect((blocks[0] ?? 0) + (blocks[1] ?? 0)).toBeLessThan((blocks[2] ?? 0) / 2);
  // footer: magic, offset, size, written. The region begins behind the arena's head and ends with a page.
  const footer = readFileSync(program).subarray(-24);
  expect(footer.readBigUInt64LE(16)).toBeGreaterThan(written);
  expect(footer.readBigUInt64LE(8)).toBeGreaterThan(written + read);
});

testWith({ root: true }, "without its memory it says which step failed, and what helps", () => {
  const room = join(directory, "room");
  mkdirSync(room, { recursive: true });
  copyFileSync(program, join(room, "galley-runtime"));
  writeFileSync(join(room, "short"), readFileSync(program).subarray(0, -4096), { mode: 0o755 });
  const said = (...command: readonly string[]) => {
    const { exitCode, stderr } = Bun.spawnSync([...command, "state", "none"]);
    return [exitCode, stderr.toString()];
  };
  expect(said("sh", "-c", `ulimit -v 500000; exec ${program} "$@"`, "sh")).toEqual([
    1,
    "galley-runtime: cannot reserve 1 GiB of addresses from 16 TiB on for the engine's memory: Cannot allocate memory (raise the limit of its address space: ulimit -v)\n",
  ]);
  expect(said("chroot", room, "/galley-runtime")).toEqual([
    1,
    "galley-runtime: cannot open /proc/self/exe: No such file or directory (mount /proc)\n",
  ]);
  expect(said(join(room, "short"))).toEqual([
    1,
    "galley-runtime: cannot find this program's end: it is cut short (build or install it again)\n",
  ]);
  rmSync(room, { recursive: true });
});

describe("galley-runtime", () => {
  for (const file of readdirSync(join(home, "test/oci")).filter((name) => name.endsWith(".test.ts"))) {
    testWith(
      { root: true },
      `passes test/oci/${file}`,
      async () => {
        const child = Bun.spawn([process.execPath, "test", "--timeout=120000", join(home, "test/oci", file)], {
          env: { ...process.env, GALLEY_TEST_RUNTIME: program },
          stdio: ["ignore", "pipe", "pipe"],
        });
        const [output, status] = await Promise.all([new Response(child.stderr).text(), child.exited]);
        expect(status === 0 ? "" : output).toBe("");
      },
      SUITE_LIMIT,
    );
  }
});
