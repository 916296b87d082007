/** kill -9 of the command line at every few milliseconds: what remains is what a living container needs, and nothing else. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect } from "bun:test";
import { existsSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { missing, testWith } from "../harness/requirements.ts";

const CGROUPS = "/sys/fs/cgroup";
const needs = { root: true };
let store: Store;

beforeAll(async () => {
  store = createStore();
  if (missing(needs) === undefined) await store.ok(["run", "--rm", "busybox", "true"]);
});

afterAll(async () => {
  await store.cleanup();
});

/** Directories of cgroups with these names, in every hierarchy. */
function cgroupsOf(ids: readonly string[]): string[] {
  const hierarchies = readdirSync(CGROUPS).map((name) => join(CGROUPS, name, "galley"));
  return [join(CGROUPS, "galley"), ...hierarchies]
    .flatMap((parent) => ids.map((id) => join(parent, id)))
    .filter((path) => existsSync(path));
}

function rows(table: string): readonly Record<string, unknown>[] {
  using database = new Database(join(store.root, "galley.db"), { readonly: true });
  return database.query<Record<string, unknown>, []>(`SELECT * FROM ${table}`).all();
}

/** Leaves a start as a process would that is dead: none has this start time. */
function abandonStart(id: string): void {
  using database = new Database(join(store.root, "galley.db"));
  const insert = database.query("INSERT INTO container_operations VALUES (?, 'start', ?, 'never', ?)");
  insert.run(id, process.pid, readlinkSync("/proc/self/ns/pid"));
}

async function killAfter(args: readonly string[], milliseconds: number): Promise<void> {
  const session = store.spawn(args);
  await Bun.sleep(milliseconds);
  session.child.kill("SIGKILL");
  await session.child.exited;
}

async function ids(): Promise<string[]> {
  return (await store.ok(["ps", "-aq", "--no-trunc"])).split("\n").filter(Boolean);
}

/** Nothing of any container is left anywhere. */
function expectNothing(seen: readonly string[]): void {
  expect(readdirSync(join(store.root, "containers"))).toEqual([]);
  expect(readdirSync(join(store.runroot, "c"))).toEqual([]);
  expect(rows("containers")).toEqual([]);
  expect(rows("container_operations")).toEqual([]);
  expect(rows("leases")).toEqual([]);
  expect(rows("published_ports")).toEqual([]);
  expect(cgroupsOf(seen)).toEqual([]);
  expect(store.leftovers()).toEqual({ processes: [], mounts: [] });
}

testWith(
  needs,
  "run --rm, killed",
  async () => {
    const seen = new Set<string>();
    for (let delay = 0; delay <= 120; delay += 4) {
      await killAfter(["run", "--rm", "-p", "80", "busybox", "true"], delay);
      for (const row of rows("containers")) seen.add(String(row.id));
    }
    // A container that was started ends by itself, and its shim cleans up.
    for (let left = await ids(); left.length > 0; left = await ids()) await Bun.sleep(20);
    expectNothing([...seen]);
  },
  60_000,
);

testWith(needs, "a command that was killed as it wrote its recipe has run none of it", async () => {
  const names = ["first", "second"];
  const seen = await Promise.all(names.map((name) => store.ok(["create", "--name", name, "busybox", "true"])));
  for (const id of seen) writeFileSync(join(store.root, "containers", id, "recipe"), "GLYR");
  abandonStart(seen[1] ?? "");
  expect(await store.ok(["start", "-a", "first"])).toBe("");
  expect((await store.galley(["explain", "second"])).stderr).toContain("has not been started");
  await store.ok(["rm", "-f", ...names]);
  expectNothing(seen);
});

testWith(
  needs,
  "run -d and rm -f, killed",
  async () => {
    const seen = new Set<string>();
    for (let delay = 0; delay <= 100; delay += 10) {
      await killAfter(["run", "-d", "-p", "80", "-v", "/anonymous", "busybox", "sleep", "1000"], delay);
    }
    for (let delay = 0; delay <= 60; delay += 6) {
      for (const id of await ids()) seen.add(id);
      const [first] = await ids();
      if (first === undefined) await store.ok(["run", "-d", "busybox", "sleep", "1000"]);
      await killAfter(["rm", "-f", "-v", (await ids())[0] ?? ""], delay);
    }
    const rest = await ids();
    if (rest.length > 0) await store.ok(["rm", "-f", "-v", ...rest]);
    expectNothing([...seen]);
  },
  60_000,
);

testWith(needs, "a shim that is killed leaves a container that ps tells of and rm -f removes", async () => {
  const id = await store.ok(["run", "-d", "-p", "80", "--name", "lost", "busybox", "sleep", "1000"]);
  const shim = Number(
    await Bun.$`grep '^shim ' ${join(store.root, "containers", id, "status")} | cut -d' ' -f2`.text(),
  );
  process.kill(shim, "SIGKILL");
  expect(await store.ok(["ps", "--format", "{{.Names}} {{.State}}"])).toBe("lost running");
  await store.ok(["rm", "-f", "lost"]);
  expectNothing([id]);
});

testWith(needs, "shim and container killed: exited with 137, and it starts again", async () => {
  const id = await store.ok(["run", "-d", "-p", "80", "--name", "both", "busybox", "sleep", "1000"]);
  const status = await Bun.file(join(store.root, "containers", id, "status")).text();
  for (const word of ["shim", "init"]) {
    process.kill(Number(new RegExp(`^${word} (\\d+)`, "m").exec(status)?.[1]), "SIGKILL");
  }
  while ((await store.ok(["ps", "-q"])) !== "") await Bun.sleep(10);
  expect(await store.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "both"])).toBe("exited 137");
  expect(cgroupsOf([id])).not.toEqual([]);
  await store.ok(["start", "both"]);
  expect(await store.ok(["exec", "both", "echo", "again"])).toBe("again");
  await store.ok(["rm", "-f", "both"]);
  expectNothing([id]);
});

testWith(needs, "a paused container whose shim was killed can be removed", async () => {
  const id = await store.ok(["run", "-d", "--name", "frozen", "busybox", "sleep", "1000"]);
  await store.ok(["pause", "frozen"]);
  const status = await Bun.file(join(store.root, "containers", id, "status")).text();
  process.kill(Number(/^shim (\d+)/m.exec(status)?.[1]), "SIGKILL");
  expect(await store.ok(["ps", "--format", "{{.Names}} {{.State}}"])).toBe("frozen paused");
  await store.ok(["rm", "-f", "frozen"]);
  expectNothing([id]);
});

testWith(needs, "thirty commands at once on one store all succeed", async () => {
  const results = await Promise.all(
    Array.from({ length: 30 }, (_, index) => store.galley(["run", "--rm", "busybox", "echo", `number ${index}`])),
  );
  expect(results).toEqual(results.map((_, index) => ({ status: 0, stdout: `number ${index}\n`, stderr: "" })));
  expectNothing([]);
});
