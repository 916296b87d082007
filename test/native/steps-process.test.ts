import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stringList } from "../../src/recipe/encode.ts";
import type { Step } from "../../src/recipe/recipe.ts";
import { testWith } from "../harness/requirements.ts";
import { CLONE, E, O, op, run, Scratch, shell, text } from "./program.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);
const outside = async (...steps: Step[]) => (await run({ outside: steps })).report.failure;
/** Steps of an inside without namespaces, then a script. */
const inside = (steps: Step[], script: string, flags = 0) =>
  run({ outside: [op("clone", [flags, "none", 1])], inside: [...steps, shell(script)] });

const words = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);

root("names, limits, groups, users and other attributes are set in the order of their steps", async () => {
  const { report, output } = await inside(
    [
      op("sethostname", [text("galley-host")]),
      op("setdomainname", [text("galley.example")]),
      op("setrlimit", [7, 100, 200]),
      op("umask", [0o123]),
      op("personality", [0x0040000]),
      op("ioprio_set", [1, 0, 0x4007]),
      op("sched_setaffinity", [0, words(1, 0)]),
      op("set_mempolicy", [0, new Uint8Array(), 0]),
      op("setgroups", [2, words(10, 20)]),
      op("setresgid", [30, 30, 30]),
      op("prctl", [8, 1, 0, 0, 0]),
      op("setresuid", [40, 40, 40]),
      op("capset", [words(0x20080522, 0), words(0x400, 0x401, 0, 0, 0, 0)]),
      op("prctl", [38, 1, 0, 0, 0]),
    ],
    "hostname; cat /proc/sys/kernel/domainname; ulimit -n; ulimit -Hn; umask; id -u; id -g; id -G; cat /proc/self/personality;" +
      "grep -E '^(NoNewPrivs|CapPrm|Cpus_allowed_list)' /proc/self/status",
    CLONE.newuts,
  );
  expect(report.failure).toBeUndefined();
  expect(output.split("\n").slice(0, 9)).toEqual([
    "galley-host",
    "galley.example",
    "100",
    "200",
    "0123",
    "40",
    "30",
    "30 10 20",
    "00040000",
  ]);
  expect(output).toContain("NoNewPrivs:\t1");
  expect(output).toContain("Cpus_allowed_list:\t0");
});

root("sched_setattr and the session keyring are reached", async () => {
  const batch = new Uint8Array(48);
  new DataView(batch.buffer).setUint32(0, 48, true);
  new DataView(batch.buffer).setUint32(4, 3, true);
  const { report, output } = await inside(
    [op("sched_setattr", [0, batch, 0]), op("keyctl", [1, 0, 0, 0], { tolerate: [38] })],
    "cut -d' ' -f41 /proc/self/stat",
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe("3\n");
});

root("namespaces are left and joined", async () => {
  const { report, output } = await run({
    outside: [
      op("clone", [CLONE.newuts, "none", 1]),
      op("wait", [1]),
      op("open_proc", [], { out: "proc" }),
      op("openat", ["proc", "ns/uts", 0, 0], { out: "uts" }),
      op("setns", ["uts", CLONE.newuts]),
      op("sethostname", [text("from-outside")]),
      op("signal", [2]),
    ],
    inside: [op("signal", [1]), op("wait", [2]), op("unshare", [CLONE.newuts]), shell("hostname")],
  });
  expect(report.failure).toBeUndefined();
  expect(output).toBe("from-outside\n");
});

root("a process is found again by its pid and start time, and joined by its pidfd", async () => {
  const sleeper = Bun.spawn(["unshare", "-u", "sh", "-c", "hostname joined; echo; exec sleep 60"], { stdout: "pipe" });
  await sleeper.stdout.getReader().read();
  const stat = readFileSync(`/proc/${sleeper.pid}/stat`, "utf8");
  const startTime = BigInt(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "");
  const join = (time: bigint) =>
    run({
      outside: [
        op("open_pid", [sleeper.pid, time], { out: "target" }),
        op("setns", ["target", CLONE.newuts]),
        op("clone", [0, "none", 1]),
      ],
      inside: [shell("hostname")],
    });
  expect((await join(startTime)).output).toBe("joined\n");
  expect((await join(startTime + 1n)).report.failure).toEqual({ section: "outside", step: 0, errno: E.SRCH });
  sleeper.kill(9);
  await sleeper.exited;
  expect((await join(startTime)).report.failure).toMatchObject({ step: 0, errno: E.SRCH });
});

const exec = (args: string[], search: string, env: string[] = []) =>
  run({
    outside: [op("clone", [0, "none", 1])],
    inside: [op("exec", [stringList(args), stringList(env), search])],
  });

test("exec searches its path, keeps argv and gives only its environment", async () => {
  using folder = new Scratch();
  copyFileSync("/bin/sh", folder.at("mine"));
  const { report, output } = await exec(
    ["mine", "-c", 'echo "$0|$1|$A|$HOME"', "zero", "o ne"],
    `/nowhere::${folder.path}`,
    ["A=b c"],
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe("zero|o ne|b c|\n");
});

test("exec tells what is wrong as execvp does", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("a"));
  mkdirSync(folder.at("b"));
  writeFileSync(folder.at("a/plain"), "text");
  writeFileSync(folder.at("b/odd"), "neither ELF nor script");
  mkdirSync(folder.at("b/folder"));
  chmodSync(folder.at("b/odd"), 0o755);
  const errno = async (name: string, search: string) => (await exec([name], search)).report.failure?.errno;
  expect(await errno("nothing", "/bin:/usr/bin")).toBe(E.NOENT);
  expect(await errno("nothing", "")).toBe(E.NOENT);
  expect(await errno("", "/bin")).toBe(E.NOENT);
  expect(await errno("plain", `${folder.at("a")}:${folder.at("b")}`)).toBe(E.ACCES);
  expect(await errno("folder", folder.at("b"))).toBe(E.ACCES);
  expect(await errno(folder.at("b/folder"), "")).toBe(E.ACCES);
  expect(await errno("odd", folder.at("b"))).toBe(E.NOEXEC);
  expect(await errno("sh", `/${"x".repeat(5000)}:/bin`)).toBeUndefined();
});

test("the program starts with default signals, an empty mask, and only the descriptors it was given", async () => {
  using folder = new Scratch();
  const { output } = await run({
    outside: [op("openat", ["cwd", folder.path, O.directory, 0], { out: "leak" }), op("clone", [0, "none", 1])],
    inside: [op("close_range", [500, 600, 0]), shell("ls /proc/$$/fd; exec grep -E '^Sig(Blk|Ign)' /proc/self/status")],
  });
  expect(output.split("\n")[0]).toBe("0");
  expect(output).toMatch(/^0\n1\n2\n(10\n)?Sig/);
  expect(output).toContain("SigBlk:\t0000000000000000");
  expect(output).toContain("SigIgn:\t0000000000000000");
});

/** A filter that answers getppid with EPERM and allows the rest, of either architecture. */
function denyGetppid(): Uint8Array {
  const number = process.arch === "arm64" ? 173 : 110;
  const rows = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, number],
    [0x06, 0, 0, 0x00050000 | 77],
    [0x06, 0, 0, 0x7fff0000],
  ] as const;
  const bytes = new Uint8Array(rows.length * 8);
  const view = new DataView(bytes.buffer);
  rows.forEach(([code, yes, no, k], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, yes);
    view.setUint8(index * 8 + 3, no);
    view.setUint32(index * 8 + 4, k, true);
  });
  return bytes;
}

test("a seccomp filter holds for the program", async () => {
  const { report, output } = await inside(
    [op("prctl", [38, 1, 0, 0, 0]), op("seccomp", [0, denyGetppid()])],
    "grep -E '^Seccomp:' /proc/self/status",
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe("Seccomp:\t2\n");
  expect(await outside(op("seccomp", [0, new Uint8Array(7)]))).toMatchObject({ errno: E.INVAL });
});

root("init passes signals on, reaps what is orphaned, and ends as its child does", async () => {
  const script = `(sh -c 'sleep 0.05 & exit 0'); trap 'echo got; exit 42' USR1; echo $$ \${PPID:-x}; kill -USR1 1; sleep 1 & wait`;
  const { report, output } = await inside([op("init", []), op("setsid", [], { tolerate: [1] })], script, CLONE.newpid);
  expect(report.failure).toBeUndefined();
  expect(output).toBe("2 1\ngot\n");
});

root("init's child that cannot be executed is a failure of the start", async () => {
  const { report } = await run({
    outside: [op("clone", [CLONE.newpid, "none", 1])],
    inside: [op("init", []), op("exec", [stringList(["nothing"]), stringList([]), "/bin"])],
  });
  expect(report.failure).toEqual({ section: "inside", step: 1, errno: E.NOENT });
});

root("the inside is born again in new namespaces, and the outside takes its heir for it", async () => {
  using folder = new Scratch();
  const { report, output } = await run({
    outside: [
      op("clone", [0, "none", 1]),
      op("adopt", [], { out: "heir" }),
      op("write_identity", [folder.at("heir")]),
      op("signal", [1]),
    ],
    inside: [
      op("unshare", [CLONE.newuts]),
      op("rebirth", [CLONE.newpid | CLONE.newns]),
      op("wait", [1]),
      shell(`echo $$; cat ${folder.at("heir")}`),
    ],
  });
  expect(report.failure).toBeUndefined();
  const [pid, identity] = output.split("\n");
  expect(pid).toBe("1");
  expect(identity?.split(" ")[0]).toBe(String(report.pid));
});

root("an inside that ends instead of being born again is found out", async () => {
  const { report } = await run({
    outside: [op("clone", [0, "none", 1]), op("adopt", [], { out: "heir" })],
    inside: [op("chdir", ["/nowhere"]), op("rebirth", [CLONE.newpid])],
  });
  expect(report.failure).toEqual({ section: "inside", step: 0, errno: E.NOENT });
});
