/** Volumes of a store that several processes work on, and that one is killed on. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openVolumes, provideMounts, volumesSchema } from "../../src/engine/volumes/volumes.ts";
import { openDatabase } from "../../src/state/database.ts";
import { storePaths } from "../../src/state/paths.ts";

const FILES = 40;
let root: string;
let layer: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "galley-volumes-"));
  layer = join(root, "layer");
  mkdirSync(join(layer, "data"), { recursive: true });
  for (let file = 0; file < FILES; file++) writeFileSync(join(layer, "data", `${file}`), "x".repeat(file));
});
afterEach(() => rmSync(root, { recursive: true }));

function open() {
  const paths = storePaths(root, join(root, "run"));
  const database = openDatabase(paths.database, [volumesSchema]);
  const volumes = openVolumes({ database, paths, inUse: () => [] });
  return { volumes, [Symbol.dispose]: () => database.close() };
}

async function worker() {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "volume-process.ts"), root, layer], {
    stdout: "pipe",
    stderr: "inherit",
  });
  for await (const _ of child.stdout) break;
  return child;
}

/** Whatever was cut off: volumes can be had whole, and all of them can be taken away. */
async function checkStore(): Promise<void> {
  using store = open();
  const { volumes } = store;
  for (const { name } of await volumes.list({ name: ["^volume-"] })) {
    const [one] = await provideMounts([{ type: "volume", source: name, target: "/data" }], volumes, [layer]);
    const found = readdirSync(one?.source ?? "").filter((file) => file !== "own");
    expect(found).toHaveLength(FILES);
  }
  await volumes.prune({ all: true, filters: {} });
  await volumes.create("last", {});
  await volumes.remove("last");
  expect(await volumes.list()).toEqual([]);
  expect(readdirSync(volumes.directory)).toEqual([".removed"]);
  expect(readdirSync(join(volumes.directory, ".removed"))).toEqual([]);
}

test("volumes survive that their maker is killed at any point", async () => {
  for (let round = 0; round < 12; round++) {
    const child = await worker();
    await Bun.sleep(round * 3);
    child.kill("SIGKILL");
    await child.exited;
    await checkStore();
  }
}, 60_000);

test("several processes at once do not disturb each other", async () => {
  const children = await Promise.all([worker(), worker(), worker()]);
  await Bun.sleep(300);
  const ended = children.map(({ exitCode }) => exitCode);
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map(({ exited }) => exited));
  expect(ended).toEqual([null, null, null]);
  await checkStore();
}, 60_000);
