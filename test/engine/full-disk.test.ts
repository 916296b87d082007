/** A store on a file system that is full. */
import { afterAll, beforeAll, expect } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { missing, testWith } from "../harness/requirements.ts";

const needs = { root: true, commands: ["mount", "umount"] };
const root = mkdtempSync(join(tmpdir(), "gd-"));
let store: Store | undefined;

beforeAll(() => {
  if (missing(needs) !== undefined) return;
  Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=6m,mode=700", "tmpfs", root]);
  store = createStore({ root });
});

afterAll(async () => {
  // The mount itself is what the store's own clean-up finds.
  await store?.cleanup();
  Bun.spawnSync(["umount", "-l", root], { stderr: "ignore" });
  rmSync(root, { recursive: true, force: true });
});

testWith(needs, "a container fills the disk, others fail cleanly, and its removal makes room", async () => {
  if (store === undefined) throw new Error("no store");
  await store.ok(["run", "--rm", "busybox", "true"]);
  const script = "dd if=/dev/zero of=/big bs=64k count=1000 2>/dev/null; echo went on";
  const filled = await store.galley(["run", "--name", "big", "busybox", "sh", "-c", script]);
  expect(filled).toEqual({ status: 0, stdout: "went on\n", stderr: "" });
  const failed = await store.galley(["run", "--rm", "--name", "next", "busybox", "true"]);
  expect(failed.status).toBe(125);
  expect(failed.stderr).toMatch(/disk is full|ENOSPC/);
  expect(await store.ok(["ps", "-a", "--format", "{{.Names}} {{.State}}"])).toBe("big exited");
  expect(await store.ok(["rm", "big"])).toBe("big");
  expect(await store.ok(["run", "--rm", "busybox", "echo", "room"])).toBe("room");
  expect(readdirSync(join(root, "containers"))).toEqual([]);
});
