import { expect, test } from "bun:test";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import type { CgroupLayout } from "./detect.ts";
import { planUpdate } from "./update.ts";

const hierarchy = (mountPoint: string, controllers: readonly string[]) => ({
  mountPoint,
  controllers,
  root: "/",
  self: "/",
});
const v2: CgroupLayout = { mode: "v2", v1: [], v2: hierarchy("/cg", ["memory", "cpu", "pids"]) };
const v1: CgroupLayout = { mode: "v1", v1: [hierarchy("/m", ["memory"]), hierarchy("/d", ["devices"])] };

function update(
  layout: CgroupLayout,
  resources: ResourcesConfig,
  files: Readonly<Record<string, string>> = {},
): string[] {
  const writes = planUpdate({ layout, path: "/c", resources, read: (path) => files[path] });
  return writes.map(({ path, value }) => `${path} = ${value}`);
}

test("only what changes is written, in an order that fits what is there", () => {
  expect(update(v2, { pids: { limit: 9 } })).toEqual(["/cg/c/pids.max = 9"]);
  expect(update(v2, { cpu: { quota: 7 } }, { "/cg/c/cpu.max": "5 2000\n" })).toEqual(["/cg/c/cpu.max = 7 2000"]);
  const grow = update(v1, { memory: { limit: 50, swap: 60 } }, { "/m/c/memory.limit_in_bytes": "10\n" });
  expect(grow).toEqual(["/m/c/memory.memsw.limit_in_bytes = 60", "/m/c/memory.limit_in_bytes = 50"]);
});

test("a limit below the usage is refused where that is asked for", () => {
  const memory = { limit: 100, checkBeforeUpdate: true };
  expect(() => update(v2, { memory }, { "/cg/c/memory.current": "200\n" })).toThrow(
    "rejecting memory limit 100 <= usage 200",
  );
  const both = { ...memory, swap: 150 };
  expect(() => update(v2, { memory: both }, { "/cg/c/memory.current": "200\n" })).toThrow(
    "rejecting memory+swap limit 150 <= usage 200",
  );
  expect(() => update(v1, { memory }, { "/m/c/memory.usage_in_bytes": "200\n" })).toThrow("rejecting memory limit");
  expect(update(v2, { memory }, { "/cg/c/memory.current": "50\n" })).toEqual(["/cg/c/memory.max = 100"]);
  expect(update(v2, { memory: { limit: 100 } }, { "/cg/c/memory.current": "200\n" })).toEqual([
    "/cg/c/memory.max = 100",
  ]);
});

test("device rules change without a gap: only the difference is written", () => {
  const list =
    "c 1:3 rwm\nc 7:7 rw\nb *:* m\nc *:* m\nc 1:5 rwm\nc 1:7 rwm\nc 1:8 rwm\nc 1:9 rwm\nc 5:0 rwm\nc 5:2 rwm\nc 136:* rwm\nc 10:200 rwm\n";
  const devices = [
    { allow: true, type: "c", major: 7, minor: 7, access: "r" },
    { allow: true, type: "b", major: 8, minor: 0, access: "r" },
  ] as const;
  expect(update(v1, { devices }, { "/d/c/devices.list": list })).toEqual([
    "/d/c/devices.deny = c 7:7 w",
    "/d/c/devices.allow = b 8:0 r",
  ]);
});

test("from and to allowing everything the whole list is written", () => {
  const open = { "/d/c/devices.list": "a *:* rwm\n" };
  expect(update(v1, { devices: [] }, open)[0]).toBe("/d/c/devices.deny = a *:* rwm");
  expect(update(v1, { devices: [{ allow: true }] }, { "/d/c/devices.list": "c 1:3 r\n" })).toEqual([
    "/d/c/devices.allow = a *:* rwm",
  ]);
});
