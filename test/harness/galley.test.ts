import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createStore, type Store } from "./galley.ts";
import { mentions } from "./leftovers.ts";
import { testWith } from "./requirements.ts";

// The harness itself is tried with a shell in Galley's place.
const given = process.env.GALLEY_TEST_PROGRAM;
beforeAll(() => {
  process.env.GALLEY_TEST_PROGRAM = "/bin/sh";
});
afterAll(() => {
  if (given === undefined) delete process.env.GALLEY_TEST_PROGRAM;
  else process.env.GALLEY_TEST_PROGRAM = given;
});

test("a process belongs to a directory that it names, not to one that begins or ends alike", () => {
  const folder = "/tmp/galley-a.b";
  for (const text of [folder, `${folder}/x`, `rw,lowerdir=${folder}/l:/y`, `sh\0${folder}\0`])
    expect(mentions(text, folder)).toBe(true);
  for (const text of [`${folder}c`, "/tmp/galley-axb", `/other${folder}`, `${folder}-2/x`])
    expect(mentions(text, folder)).toBe(false);
});

let store: Store;
beforeEach(() => {
  store = createStore();
});
afterEach(() => store.cleanup());

test("a command gets its input, the store's places and a home of its own", async () => {
  const script = 'cat; echo "$GALLEY_ROOT $GALLEY_RUNROOT $HOME $MORE" >&2; exit 3';
  const result = await store.galley(["-c", script], { stdin: "in", env: { MORE: "more" } });
  expect(result).toEqual({ status: 3, stdout: "in", stderr: `${store.root} ${store.runroot} ${store.home} more\n` });
  expect(await store.ok(["-c", "echo fine"])).toBe("fine");
  await expect(store.ok(["-c", "echo wrong >&2; exit 1"])).rejects.toThrow("wrong");
});

test("a command that does not end is killed, and its output told", async () => {
  await expect(store.galley(["-c", "echo begun; exec sleep 60"], { timeout: 200 })).rejects.toThrow("begun");
});

test("a session is talked to, waited for and signalled", async () => {
  const session = store.spawn([
    "-c",
    'trap "echo caught; exit 9" TERM; read x; echo got $x; while :; do sleep 0.01; done',
  ]);
  session.write("word\n");
  await session.waitFor("got word");
  session.kill();
  expect(await session.ended()).toBe(9);
  expect(session.stdout).toBe("got word\ncaught\n");
  await expect(session.waitFor("never")).rejects.toThrow("never did not appear");
});

test("a terminal has a size, takes keys and is resized", async () => {
  const script =
    'trap "stty size; exit 0" WINCH; tty >/dev/null && stty size; echo ready; while :; do sleep 0.01; done';
  const terminal = store.terminal(["-c", script], { columns: 100, rows: 30 });
  await terminal.waitFor("ready");
  terminal.resize(120, 40);
  expect(await terminal.ended()).toBe(0);
  expect(terminal.stdout).toBe("30 100\r\nready\r\n40 120\r\n");
  const interrupted = store.terminal(["-c", "echo ready; exec sleep 60"]);
  await interrupted.waitFor(/ready/);
  interrupted.write("\x03");
  expect(await interrupted.ended()).toBe(130);
});

testWith({ root: true }, "clean-up reports and removes processes, mounts and files", async () => {
  const point = join(store.base, "a b");
  mkdirSync(point);
  expect(Bun.spawnSync(["mount", "-t", "tmpfs", "galley-test", point]).exitCode).toBe(0);
  await store.ok(["-c", `cd "${store.base}" && { setsid sleep 1000 >/dev/null 2>&1 & }`]);
  store.spawn(["-c", "exec sleep 1001"]);
  // Until then it may still be the program that starts it.
  while (!store.leftovers().processes.some((line) => /^\d+ sleep 1000$/.test(line))) await Bun.sleep(1);
  const found = await store.cleanup();
  expect(found.mounts).toEqual([point]);
  expect(found.processes.map((line) => line.replace(/^\d+ /, ""))).toEqual(["sleep 1000"]);
  expect(store.leftovers()).toEqual({ processes: [], mounts: [] });
  expect(existsSync(store.base)).toBe(false);
});
