import { afterAll, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "../../src/recipe/encode.ts";
import type { Step } from "../../src/recipe/recipe.ts";
import { testWith } from "../harness/requirements.ts";
import { CLONE, E, native, O, op, run, runBytes, shell, text } from "./program.ts";

interface Mount {
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

const mounts: readonly Mount[] = readFileSync("/proc/self/mounts", "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split(" "))
  .map(([, path = "", type = "", options = ""]) => ({ path, type, options: options.split(",") }));
const v1 = (controller: string) =>
  mounts.find((one) => one.type === "cgroup" && one.options.includes(controller))?.path;
const v2 = mounts.find((one) => one.type === "cgroup2")?.path;

const made: string[] = [];
let count = 0;

/** A new cgroup in a hierarchy. */
function group(hierarchy: string, ...below: string[]): string {
  const path = join(hierarchy, `galley-native-${process.pid}-${count++}`);
  mkdirSync(join(path, ...below), { recursive: true });
  made.push(path);
  return path;
}

afterAll(async () => {
  await run({ outside: made.flatMap((path) => [op("kill_cgroup", [path, 9]), op("remove_cgroup", [path, 1000])]) });
});

const inHierarchy = (
  where: string | undefined,
  what: string,
  name: string,
  body: (hierarchy: string) => Promise<void>,
) => testWith({ root: true, paths: [where ?? `a mounted ${what}`] }, `${what}: ${name}`, () => body(where ?? ""));

function sleeper(...groups: string[]): Bun.Subprocess {
  const child = Bun.spawn(["sh", "-c", "sleep 60 & sleep 60 & wait"], { stdout: "ignore" });
  for (const path of groups) writeFileSync(join(path, "cgroup.procs"), `${child.pid}`);
  return child;
}

const outside = async (...steps: Step[]) => (await run({ outside: steps })).report.failure;

for (const [what, hierarchy] of [
  ["cgroup v1", v1("pids")],
  ["cgroup v2", v2],
] as const) {
  inHierarchy(
    hierarchy,
    what,
    "a tree of groups is removed, deepest first; a missing one is no error",
    async (root) => {
      const path = group(root, "a/b/c");
      mkdirSync(join(path, "a/d"));
      mkdirSync(join(path, "e"));
      expect(await outside(op("remove_cgroup", [path, 0]), op("remove_cgroup", [path, 0]))).toBeUndefined();
      expect(existsSync(path)).toBe(false);
    },
  );

  inHierarchy(hierarchy, what, "a busy group is waited for, but not for ever", async (root) => {
    const path = group(root, "inner");
    const child = Bun.spawn(["sleep", "60"]);
    writeFileSync(join(path, "inner/cgroup.procs"), `${child.pid}`);
    expect(await outside(op("remove_cgroup", [path, 30]))).toMatchObject({ errno: E.BUSY });
    const removal = outside(op("remove_cgroup", [path, 10_000]));
    await Bun.sleep(20);
    child.kill(9);
    await child.exited;
    expect(await removal).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  inHierarchy(hierarchy, what, "everything in a tree of groups is killed", async (root) => {
    const path = group(root, "one/two");
    const first = sleeper(join(path, "one"));
    const second = sleeper(join(path, "one/two"));
    while (readFileSync(join(path, "one/cgroup.procs"), "utf8").split("\n").length < 2) await Bun.sleep(1);
    expect(await outside(op("kill_cgroup", [path, 9]))).toBeUndefined();
    expect(await Promise.all([first.exited, second.exited])).toEqual([137, 137]);
    expect(await outside(op("remove_cgroup", [path, 1000]), op("kill_cgroup", [path, 9]))).toBeUndefined();
  });

  inHierarchy(hierarchy, what, "another signal is sent once to each process", async (root) => {
    const path = group(root);
    const child = Bun.spawn(["sh", "-c", "trap 'echo got; exit 7' USR1; echo; while :; do sleep 0.01; done"], {
      stdout: "pipe",
    });
    writeFileSync(join(path, "cgroup.procs"), `${child.pid}`);
    const reader = child.stdout.getReader();
    await reader.read();
    const USR1 = 10;
    expect(await outside(op("kill_cgroup", [path, USR1]))).toBeUndefined();
    expect(await child.exited).toBe(7);
  });
}

inHierarchy(v2, "cgroup v2", "the inside is born in the group", async (root) => {
  const path = group(root);
  const { report, output } = await run({
    outside: [op("openat", ["cwd", path, O.directory | O.path, 0], { out: "group" }), op("clone", [0, "group", 1])],
    inside: [shell("grep ^0: /proc/self/cgroup")],
  });
  expect(report.failure).toBeUndefined();
  expect(output.trim()).toEndWith(path.slice(root.length));
});

/** BPF_MOV64_IMM(r0, allow); BPF_EXIT_INSN(). */
const constantFilter = (allow: number) => Uint8Array.from([0xb7, 0, 0, 0, allow, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

inHierarchy(v2, "cgroup v2", "a device filter is attached", async (root) => {
  const path = group(root);
  const open = (allow: number) =>
    run({
      outside: [
        op("openat", ["cwd", path, O.directory, 0], { out: "group" }),
        op("attach_device_filter", ["group", constantFilter(allow)]),
        op("clone", [0, "group", 1]),
      ],
      inside: [op("openat", ["cwd", "/dev/zero", 0, 0]), shell("true")],
    });
  expect((await open(1)).report.failure).toBeUndefined();
  expect((await open(0)).report.failure).toEqual({ section: "inside", step: 0, errno: 1 });
  expect(await outside(op("attach_device_filter", ["group", new Uint8Array(8)]))).toMatchObject({ errno: E.INVAL });
});

inHierarchy(v2, "cgroup v2", "a device filter is replaced, and another's is kept", async (root) => {
  const path = group(root);
  const opened = { outside: [op("openat", ["cwd", path, O.directory, 0], { out: "group" })] };
  const replace = (allow: number) =>
    outside(...opened.outside, op("replace_device_filter", ["group", constantFilter(allow)]));
  const open = () =>
    run({
      outside: [...opened.outside, op("clone", [0, "group", 1])],
      inside: [op("openat", ["cwd", "/dev/zero", 0, 0]), shell("true")],
    });
  for (const allow of [0, 1, 0]) {
    expect(await replace(allow)).toBeUndefined();
    const failure = allow === 1 ? undefined : { section: "inside", step: 0, errno: 1 };
    expect((await open()).report.failure as unknown).toEqual(failure);
  }
});

inHierarchy(v1("memory"), "cgroup v1", "an OOM kill is counted on the eventfd", async (root) => {
  const path = group(root);
  writeFileSync(join(path, "memory.limit_in_bytes"), `${8 << 20}`);
  const { report } = await run({
    outside: [
      op("watch_oom", [path], { out: "events" }),
      op("clone", [CLONE.newpid, "none", 1]),
      op("write_pid", ["cwd", join(path, "cgroup.procs")]),
      op("signal", [1]),
      op("await_file", ["cwd", join(path, "memory.oom_control"), text("oom_kill 1"), 20_000]),
    ],
    inside: [op("wait", [1]), shell("exec dd if=/dev/zero of=/dev/null bs=64M count=1")],
  });
  expect(report.failure).toBeUndefined();
  expect(await outside(op("watch_oom", ["/nowhere"]))).toMatchObject({ errno: E.NOENT });
});

inHierarchy(
  v1("freezer"),
  "cgroup v1",
  "kill_cgroup leaves this program alone, and gives up on what cannot die",
  async (root) => {
    const path = group(root);
    const recipe = encode({ sections: { outside: [op("kill_cgroup", [path, 9])] } });
    const child = Bun.spawn(["sh", "-c", 'echo $$ > "$0/cgroup.procs"; exec "$1" run -', path, native()], {
      stdin: recipe,
      stdout: "pipe",
    });
    expect(await child.exited).toBe(0);
    expect((await runBytes(recipe)).report.failure).toBeUndefined();
    expect(readdirSync(path)).toContain("cgroup.procs");
  },
);
