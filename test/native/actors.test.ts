import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { encode } from "../../src/recipe/encode.ts";
import { CLONE, E, native, O, op, run, runBytes, Scratch, shell, text } from "./program.ts";

const failureOf = async (sections: Parameters<typeof run>[0]) => (await run(sections)).report.failure;

test("a recipe without steps succeeds", async () => {
  const { report, status } = await run({});
  expect(report.failure).toBeUndefined();
  expect(report.pid).toBe(0);
  expect(status).toBe(0);
});

test("a failing outside step is told by section, number and errno, and cleanup runs", async () => {
  using folder = new Scratch();
  const { report, status } = await run({
    outside: [op("mkdirat", ["cwd", folder.at("made"), 0o755]), op("chdir", [folder.at("missing")]), op("umask", [0])],
    cleanup: [op("unlinkat", ["cwd", folder.at("missing"), 0]), op("mkdirat", ["cwd", folder.at("cleaned"), 0o755])],
  });
  expect(report.failure).toEqual({ section: "outside", step: 1, errno: E.NOENT });
  expect(status).toBe(1);
  expect(report.timings.outside[2]).toBeUndefined();
  expect(existsSync(folder.at("cleaned"))).toBe(true);
});

test("tolerated error numbers are successes, others are not", async () => {
  const chdir = (...tolerate: number[]) => failureOf({ outside: [op("chdir", ["/nowhere"], { tolerate })] });
  expect(await chdir(1, E.NOENT)).toBeUndefined();
  expect(await chdir(1, E.ACCES)).toMatchObject({ errno: E.NOENT });
});

test("a failing inside step stops the outside, which waits", async () => {
  const failure = await failureOf({
    outside: [op("clone", [0, "none", 1]), op("wait", [1]), op("chdir", ["/nowhere"])],
    inside: [op("chdir", ["/"]), op("chdir", ["/also-nowhere"])],
  });
  expect(failure).toEqual({ section: "inside", step: 1, errno: E.NOENT });
});

test("a failing outside step kills the inside, which waits", async () => {
  using folder = new Scratch();
  const { report } = await run({
    outside: [op("clone", [0, "none", 1]), op("wait", [1]), op("chdir", ["/nowhere"])],
    inside: [
      op("write_pid", ["cwd", folder.at("pid")], { tolerate: [E.NOENT] }),
      op("signal", [1]),
      op("wait", [2]),
      shell("true"),
    ],
  });
  expect(report.failure).toEqual({ section: "outside", step: 2, errno: E.NOENT });
  expect(existsSync(`/proc/${report.pid}`)).toBe(false);
});

test("a failing inside ends an outside that looks at a file again and again", async () => {
  const failure = await failureOf({
    outside: [op("clone", [0, "none", 1]), op("await_file", ["cwd", "/proc/self/comm", text("never"), 60_000])],
    inside: [op("chdir", ["/nowhere"])],
  });
  expect(failure).toEqual({ section: "inside", step: 0, errno: E.NOENT });
});

test("an inside that is killed is told by the step it was at", async () => {
  const failure = await failureOf({
    outside: [
      op("clone", [0, "none", 1], { out: "child" }),
      op("pidfd_send_signal", ["child", 9, 0, 0]),
      op("wait", [1]),
    ],
    inside: [op("wait", [2]), op("signal", [1])],
  });
  expect(failure).toEqual({ section: "inside", step: 0, errno: E.CANCELED });
});

test("waiting for what the other never signals is a failure, on either side", async () => {
  expect(
    await failureOf({
      outside: [op("clone", [0, "none", 1]), op("wait", [9])],
      inside: [op("signal", [1]), shell("true")],
    }),
  ).toEqual({ section: "outside", step: 1, errno: E.CANCELED });
  expect(await failureOf({ outside: [op("clone", [0, "none", 1])], inside: [op("wait", [3]), shell("true")] })).toEqual(
    {
      section: "inside",
      step: 0,
      errno: E.CANCELED,
    },
  );
});

test("the actors run side by side and meet at points in any order", async () => {
  const { report } = await run({
    outside: [op("clone", [0, "none", 1]), op("signal", [1]), op("signal", [2]), op("wait", [3]), op("signal", [255])],
    inside: [op("wait", [2]), op("wait", [1]), op("signal", [3]), op("wait", [255]), shell("true")],
  });
  expect(report.failure).toBeUndefined();
  const end = (times: (typeof report.timings)["inside"], step: number) => times[step]?.end ?? 0;
  expect(end(report.timings.inside, 0)).toBeGreaterThan(report.timings.outside[2]?.start ?? 0);
  expect(end(report.timings.outside, 3)).toBeGreaterThan(report.timings.inside[2]?.start ?? 0);
});

test("a point that was signalled before the clone is reached for the inside", async () => {
  expect(
    await failureOf({
      outside: [op("signal", [7]), op("clone", [0, "none", 1])],
      inside: [op("wait", [7]), shell("true")],
    }),
  ).toBeUndefined();
});

test("descriptors arrive in their order, between points, and slots are the actor's own", async () => {
  using folder = new Scratch();
  writeFileSync(folder.at("a"), "first");
  writeFileSync(folder.at("b"), "second");
  const { report, output } = await run({
    outside: [
      op("openat", ["cwd", folder.at("a"), 0, 0], { out: "x" }),
      op("clone", [0, "none", 1]),
      op("openat", ["cwd", folder.at("b"), 0, 0], { out: "y" }),
      op("send_fd", ["x"]),
      op("send_fd", ["y"]),
      op("signal", [1]),
      op("recv_fd", [], { out: "z" }),
      op("verify", ["z", 1]),
    ],
    inside: [
      op("openat", ["cwd", "/dev/null", O.rdwr, 0], { out: "null" }),
      op("wait", [1]),
      op("recv_fd", [], { out: "one" }),
      op("recv_fd", [], { out: "two" }),
      op("send_fd", ["null"]),
      op("set_stdio", ["two", "cwd", "cwd"], { tolerate: [E.BADF] }),
      shell("cat"),
    ],
  });
  expect(report.failure).toBeUndefined();
  expect(output).toBe("second");
});

test("an empty slot is a bad descriptor", async () => {
  expect(await failureOf({ outside: [op("close", ["never"])] })).toEqual({
    section: "outside",
    step: 0,
    errno: E.BADF,
  });
  expect(
    await failureOf({
      outside: [op("openat", ["cwd", "/", 0, 0], { out: "a" }), op("close", ["a"]), op("fchdir", ["a"])],
    }),
  ).toEqual({ section: "outside", step: 2, errno: E.BADF });
});

test("the report tells the pid, its start time and each step's time", async () => {
  const { report } = await run({
    outside: [op("clone", [CLONE.newpid, "none", 1]), op("open_proc", [], { out: "proc" }), op("signal", [1])],
    inside: [op("wait", [1]), shell("sleep 0.1")],
  });
  expect(report.pid).toBeGreaterThan(1);
  expect(report.startTime).toBeGreaterThan(0n);
  const times = [...report.timings.outside, ...report.timings.inside];
  expect(times).toHaveLength(5);
  for (const time of times) expect(time?.end).toBeGreaterThanOrEqual(time?.start ?? Number.POSITIVE_INFINITY);
});

test("clone takes namespaces and nothing else, once", async () => {
  const VM = 0x100;
  expect(await failureOf({ outside: [op("clone", [VM, "none", 1])] })).toMatchObject({ errno: E.INVAL });
  expect(await failureOf({ outside: [op("clone", [0, "empty", 1])] })).toMatchObject({ errno: E.BADF });
});

test("without --no-exec-wait the report comes after the execve, with it before", async () => {
  const recipe = encode({
    sections: {
      outside: [op("clone", [0, "none", 1]), op("wait", [1])],
      inside: [op("signal", [1]), op("await_file", ["cwd", "/proc/self/comm", text("never"), 200]), shell("true")],
    },
  });
  expect((await runBytes(recipe)).report.failure).toEqual({ section: "inside", step: 1, errno: E.TIMEDOUT });
  const early = await runBytes(recipe, ["--no-exec-wait"]);
  expect(early.report.failure).toBeUndefined();
  expect(early.report.timings.inside[2]).toBeUndefined();
});

test("a recipe that is not understood is reported with no section", async () => {
  using folder = new Scratch();
  const run = Bun.spawnSync([native(), "run", "-"], { stdin: text("nonsense"), stdout: "pipe", stderr: "pipe" });
  expect(run.exitCode).toBe(2);
  expect(run.stderr.toString()).toContain("not a recipe");
  const report = new DataView(Uint8Array.from(run.stdout).buffer);
  expect([report.byteLength, report.getUint32(8, true), report.getUint32(12, true)]).toEqual([48, 1, 0xffffffff]);
  expect(report.getInt32(20, true)).toBe(E.INVAL);
  const missing = Bun.spawnSync([native(), "run", folder.at("none")], { stdout: "pipe", stderr: "pipe" });
  expect([missing.exitCode, missing.stderr.toString()]).toEqual([
    2,
    `galley-native: ${folder.at("none")}: cannot be opened\n`,
  ]);
});

test("usage errors name the word", () => {
  const errors = (...args: string[]) => {
    const run = Bun.spawnSync([native(), ...args], { stdio: ["ignore", "ignore", "pipe"] });
    return [run.exitCode, run.stderr.toString()];
  };
  expect(errors("fly")).toEqual([2, "galley-native: fly: unknown command\n"]);
  expect(errors("run", "--fast", "x")).toEqual([2, "galley-native: --fast: unknown option\n"]);
  expect(errors("run")).toEqual([2, "galley-native: usage: no recipe is named\n"]);
  expect(errors()).toEqual([2, "galley-native: usage: galley-native run RECIPE [REPORT_FD]\n"]);
});

test("an inside whose maker is killed does not live on half made", async () => {
  using folder = new Scratch();
  const recipe = encode({
    sections: {
      outside: [
        op("clone", [0, "none", 1]),
        op("write_pid", ["cwd", folder.at("pid")]),
        op("await_file", ["cwd", "/proc/self/comm", text("never"), 60_000]),
      ],
      inside: [op("await_file", ["cwd", "/proc/self/comm", text("never"), 60_000])],
    },
  });
  writeFileSync(folder.at("pid"), "");
  const child = Bun.spawn([native(), "run", "-"], { stdin: recipe, stdout: "ignore" });
  while (readFileSync(folder.at("pid"), "utf8") === "") await Bun.sleep(1);
  const pid = readFileSync(folder.at("pid"), "utf8");
  child.kill(9);
  await child.exited;
  const alive = () => existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  while (alive()) await Bun.sleep(1);
  expect(alive()).toBe(false);
});
