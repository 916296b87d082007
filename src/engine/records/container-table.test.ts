import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { ContainerTable } from "./container-table.ts";
import { findRecord } from "./find.ts";
import { checkedName, freeName, newId } from "./names.ts";
import { isAbandoned, Operations } from "./operations.ts";
import type { ContainerRecord } from "./record.ts";
import { containerSchema } from "./schema.ts";

function store(): Database {
  const database = new Database(":memory:", { strict: true });
  for (const sql of containerSchema.steps) database.run(sql);
  return database;
}

function record(id: string, name: string, volume?: string): ContainerRecord {
  const volumes =
    volume === undefined ? [] : [{ name: volume, source: "/v", target: "/t", type: "volume", readonly: false }];
  return {
    id,
    name,
    imageId: "sha256:1",
    created: "2026-01-01T00:00:00.000Z",
    made: {
      spec: { image: "busybox", autoRemove: name === "goes" },
      resolved: { path: "true", args: [], env: [], workingDir: "", user: "", stopSignal: "", volumes },
      layers: ["sha256:2"],
    },
    started: undefined,
  };
}

const [a, b] = [`ab1${"0".repeat(61)}`, `ab2${"0".repeat(61)}`];

test("a container is found by ID, by name and by the beginning of its ID", () => {
  const table = new ContainerTable(store());
  table.insert(record(a, "one"));
  table.insert(record(b, "ab1"));
  expect(findRecord(table, a)).toEqual(record(a, "one"));
  expect(findRecord(table, "/one").id).toBe(a);
  expect(findRecord(table, "ab1").id).toBe(b);
  expect(findRecord(table, "ab10").id).toBe(a);
  expect(() => findRecord(table, "ab")).toThrow("multiple IDs found with provided prefix: ab");
  expect(() => findRecord(table, "none")).toThrow("No such container: none");
});

test("records change, and know their users", () => {
  const table = new ContainerTable(store());
  table.insert(record(a, "goes", "data"));
  table.insert(record(b, "stays"));
  expect(table.idsToRemove()).toEqual([a]);
  expect(table.idsWithVolume("data")).toEqual([a]);
  expect(table.usersOf("sha256:1")).toHaveLength(2);
  table.rename(a, "went");
  table.setStarted(a, { network: { mode: "none", ports: [] }, hostname: "h" });
  expect([table.byName("goes"), table.byId(a)?.started?.hostname]).toEqual([undefined, "h"]);
  table.delete(a);
  expect(table.all().map(({ name }) => name)).toEqual(["stays"]);
});

test("names are docker's", () => {
  expect(checkedName("/web.1_x-y")).toBe("web.1_x-y");
  for (const bad of ["", "x", "-x", "a b", "a/b", "ü1", "x".repeat(256)]) {
    expect(() => checkedName(bad)).toThrow("Invalid container name");
  }
  expect(freeName(new ContainerTable(store()))).toMatch(/^[a-z]+_[a-z]+$/);
  expect(newId()).toMatch(/^(?![0-9]{12})[0-9a-f]{64}$/);
});

test("an operation is abandoned when its process has gone, and can be taken over once", () => {
  const database = store();
  const operations = new Operations(database);
  operations.begin(a, "create");
  const own = operations.of(a);
  if (own === undefined) throw new Error("nothing was begun");
  expect(isAbandoned(own)).toBe(false);
  operations.abandon(a);
  const left = operations.of(a);
  if (left === undefined) throw new Error("nothing was left");
  expect(isAbandoned(left)).toBe(true);
  expect([operations.takeOver(left), operations.takeOver(left)]).toEqual([true, false]);
  operations.end(a);
  expect(operations.all()).toEqual([]);
});

test("a process that another of its number has followed is not taken for it", () => {
  const database = store();
  const operations = new Operations(database);
  operations.begin(a, "start");
  database.run("UPDATE container_operations SET start_time = '1'");
  const [operation] = operations.all();
  expect(operation === undefined || isAbandoned(operation)).toBe(true);
});
