import { afterAll, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "../../src/recipe/encode.ts";
import { native, op, scratch, shell, text } from "./program.ts";

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true }));

/** A recipe with every kind of argument. */
const good = encode({
  sections: {
    outside: [
      op("openat", ["cwd", "/", 0, 0], { out: "root", tolerate: [2, 13] }),
      op("pipe", ["r", "w", 0]),
      op("mount_setattr", ["root", "", 0x1000, new Uint8Array(32)]),
      op("capset", [new Uint8Array(8), new Uint8Array(24)]),
      op("netlink", [0, new Uint8Array(64), { kind: "slot", offset: 60, slot: "r" }]),
      op("netlink", [0, new Uint8Array(64), { kind: "interfaceIndex", offset: 0, name: "lo" }]),
      op("netlink", [0, new Uint8Array(64), { kind: "pid", offset: 32 }]),
      op("clone", [0, "none", 1]),
      op("signal", [1]),
    ],
    inside: [op("wait", [1]), shell("true")],
    cleanup: [op("remove_tree", ["cwd", "/nowhere"])],
    kill: [op("kill_cgroup", ["/nowhere", 9])],
  },
  shim: {
    stdio: { stdin: "w", stdout: "r" },
    openStdin: true,
    stdinOnce: false,
    socketPath: "/nowhere/socket",
    statusPath: "/nowhere/status",
    timingsPath: "/nowhere/timings",
    log: { path: "/nowhere/log", maxSize: 1000, maxFiles: 3 },
    restart: { policy: "always", maxRetries: 0 },
  },
});

function check(recipe: Uint8Array): { status: number | null; reason: string } {
  const path = join(folder, "recipe");
  writeFileSync(path, recipe);
  const run = Bun.spawnSync([native(), "check", path], { stdio: ["ignore", "ignore", "pipe"] });
  return { status: run.exitCode, reason: run.stderr.toString().trim().split(": ").at(-1) ?? "" };
}

function changed(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const copy = good.slice();
  change(new DataView(copy.buffer), copy);
  return copy;
}

const u32 = (at: number, value: number) => changed((view) => view.setUint32(at, value, true));
/** Offset of a field in a step of the outside section. */
const field = (step: number, at: number) => 256 + step * 64 + at;
const argument = (step: number, index: number, value: bigint) =>
  changed((view) => view.setBigUint64(field(step, 16 + index * 8), value, true));

test("a good recipe is accepted", () => {
  expect(check(good)).toEqual({ status: 0, reason: "" });
});

const refusals: readonly [what: string, reason: string, recipe: Uint8Array][] = [
  ["nothing", "not a recipe", new Uint8Array()],
  ["another file", "not a recipe", text("#!/bin/sh\n".repeat(100))],
  ["a later version", "a recipe of another version", u32(4, 2)],
  ["a size beyond the limit", "a recipe of an impossible size", u32(8, 0x7fffffff)],
  ["a cut file", "a truncated recipe", good.slice(0, good.length - 1)],
  ["a longer file", "more than a recipe", Uint8Array.from([...good, 0])],
  ["six sections", "another number of sections", u32(16, 6)],
  ["data outside", "data section outside the recipe", u32(20, good.length + 8)],
  ["longer data", "data section outside the recipe", u32(24, good.length)],
  ["a third mode", "unknown mode", u32(28, 2)],
  ["300 slots", "too many slots", u32(36, 300)],
  ["a section at 0", "section outside the recipe", u32(40, 0)],
  ["a section in the data", "section with too many steps", u32(44, 4000)],
  ["an odd section", "section outside the recipe", u32(40, 257)],
  ["an unknown operation", "unknown operation", changed((view) => view.setUint16(field(0, 0), 60, true))],
  ["operation 65535", "unknown operation", changed((view) => view.setUint16(field(0, 0), 65535, true))],
  ["exec outside", "operation in the wrong section", changed((view) => view.setUint16(field(0, 0), 99, true))],
  ["a result in slot 200", "bad result slot", changed((view) => view.setUint16(field(0, 2), 200, true))],
  ["a result of pipe", "bad result slot", changed((view) => view.setUint16(field(1, 2), 0, true))],
  ["a cause outside", "bad cause", u32(field(0, 8), good.length)],
  ["a slot argument", "bad argument", argument(0, 0, 77n)],
  ["a slot argument of 64 bits", "bad argument", argument(0, 0, 1n << 40n)],
  ["a text outside", "bad argument", argument(0, 1, 1n << 33n)],
  ["an output slot cwd", "bad argument", argument(1, 0, 0xfffen)],
  ["bytes outside", "bad argument", argument(2, 3, (1n << 52n) | 8n)],
  ["a fixup at the end", "bad argument", argument(4, 2, 61n)],
  ["a fixup far outside", "bad argument", argument(4, 2, 0xffffffffffffffffn)],
  ["a fixup of unknown kind", "bad argument", argument(4, 3, 9n)],
  ["a clone of cleanup", "clone of another section than the inside", argument(7, 2, 2n)],
  ["point 256", "bad meeting point", argument(8, 0, 256n)],
  ["a shim without socket", "the shim has no socket", u32(128, 0)],
  ["a log without path", "the shim has no log file", u32(140, 0)],
  ["another restart policy", "unknown restart policy", u32(120, 3)],
  ["a shim's slot", "bad slot in the shim's settings", u32(112, 99)],
];

for (const [what, reason, recipe] of refusals) {
  test(`refused: ${what}`, () => {
    expect(check(recipe)).toEqual({ status: 1, reason });
  });
}

test("a string without an end is refused", () => {
  const bytes = good.slice();
  const data = new DataView(bytes.buffer).getUint32(20, true);
  bytes.fill(0x41, data);
  expect(check(bytes).status).toBe(1);
});

test("a shim without a clone, and two clones, are refused", () => {
  const clone = changed((view) => view.setUint16(field(8, 0), 88, true));
  new DataView(clone.buffer).setBigUint64(field(8, 24), 0xfffdn, true);
  new DataView(clone.buffer).setBigUint64(field(8, 32), 1n, true);
  expect(check(clone)).toEqual({ status: 1, reason: "more than one clone" });
  const none = changed((view) => view.setUint16(field(7, 0), 89, true));
  expect(check(none)).toEqual({ status: 1, reason: "a shim without a container" });
});

/** A small generator, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const interesting = [0, 1, 7, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8];

function mutate(next: () => number): Uint8Array {
  const copy = good.slice();
  const view = new DataView(copy.buffer);
  const end = next() < 0.7 ? view.getUint32(20, true) : copy.length;
  for (let count = 1 + Math.floor(next() * 4); count > 0; count--) {
    const at = Math.floor(next() * (end - 4));
    if (next() < 0.5) copy[at] = Math.floor(next() * 256);
    else view.setUint32(at & ~3, interesting[Math.floor(next() * interesting.length)] ?? 0, true);
  }
  return next() < 0.1 ? copy.slice(0, Math.floor(next() * copy.length)) : copy;
}

test("whatever is changed in a recipe, it is accepted or refused, and nothing else happens", () => {
  const next = random(20260725);
  const statuses = new Map<number | null, number>();
  for (let round = 0; round < 5000; round++) {
    const { status } = check(mutate(next));
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  expect([...statuses.keys()].sort()).toEqual([0, 1]);
  expect(statuses.get(1)).toBeGreaterThan(100);
}, 120_000);
