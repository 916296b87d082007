/** What serves containers that another program manages: the gate, the identity, and the parent in the foreground. */
import { expect, test } from "bun:test";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { encode } from "../../src/recipe/encode.ts";
import type { Recipe, Step } from "../../src/recipe/recipe.ts";
import { testWith } from "../harness/requirements.ts";
import { E, native, O, op, run, Scratch, shell } from "./program.ts";

const FIFO = 0o010600;
const gateOf = (folder: Scratch): Step[] => [
  op("mknodat", ["cwd", folder.at("gate"), FIFO, 0]),
  op("openat", ["cwd", folder.at("gate"), O.rdwr | O.cloexec, 0], { out: "gate" }),
];

/** Starts an inside that waits at a gate; `after` is what it does then. */
async function created(folder: Scratch, after: readonly Step[]) {
  return run(
    {
      outside: [
        ...gateOf(folder),
        op("openat", ["cwd", folder.path, O.path, 0], { out: "open" }),
        op("clone", [0, "none", 1]),
        op("write_identity", [folder.at("identity")]),
        op("wait", [1]),
      ],
      // The streams of the test's pipes would keep them open.
      inside: [op("set_stdio", ["none", "none", "none"]), op("signal", [1]), op("await_start", ["gate"]), ...after],
    },
    ["--no-exec-wait"],
  );
}

/** Opens the gate, and waits for its end or for what is told. */
async function start(folder: Scratch): Promise<Uint8Array> {
  const reader = openSync(folder.at("gate"), 0o4000);
  const writer = openSync(folder.at("gate"), O.wronly);
  const { pid } = identity(folder);
  writeSync(writer, "1");
  closeSync(writer);
  while (readFileSync(`/proc/${pid}/stat`, "latin1").includes("galley-native") && !isZombie(pid)) await Bun.sleep(1);
  try {
    return await readAll(reader);
  } finally {
    closeSync(reader);
  }
}

/** An exec shows its new name a moment before the gate is closed: until then there is a writer, and nothing to read. */
async function readAll(reader: number): Promise<Uint8Array> {
  for (;;) {
    try {
      return readFileSync(reader);
    } catch (failure) {
      if ((failure as { code?: unknown }).code !== "EAGAIN") throw failure;
      await Bun.sleep(1);
    }
  }
}

function identity(folder: Scratch): { readonly pid: number; readonly startTime: string } {
  const [pid = "", startTime = ""] = readFileSync(folder.at("identity"), "utf8").split(" ");
  return { pid: Number(pid), startTime };
}

function isZombie(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.startsWith("Z") === true;
  } catch {
    return true;
  }
}

test("an inside waits at the gate with nothing of its set-up open, and executes once it is opened", async () => {
  using folder = new Scratch();
  const { report } = await created(folder, [shell(`echo > ${folder.at("ran")}; exec sleep 60`)]);
  expect(report.failure).toBeUndefined();
  const { pid, startTime } = identity(folder);
  expect([pid, startTime]).toEqual([report.pid, String(report.startTime)]);
  const fds = Bun.spawnSync(["ls", "-l", `/proc/${pid}/fd`]).stdout.toString();
  expect(fds).toContain(folder.at("gate"));
  expect(fds).not.toContain(`${folder.path}\n`);
  expect(existsSync(folder.at("ran"))).toBe(false);
  expect((await start(folder)).length).toBe(0);
  while (!existsSync(folder.at("ran"))) await Bun.sleep(1);
  process.kill(pid, 9);
});

test("a step that fails behind the gate is told through it", async () => {
  using folder = new Scratch();
  await created(folder, [op("chdir", ["/"]), op("chdir", ["/nowhere"])]);
  const told = await start(folder);
  const words = new DataView(told.buffer, told.byteOffset, told.byteLength);
  expect([words.getUint32(0, true), words.getUint32(4, true)]).toEqual([4, E.NOENT]);
});

test("an inside that cannot prepare itself is told by the report, though nobody waits for its exec", async () => {
  using folder = new Scratch();
  const { report } = await run(
    {
      outside: [...gateOf(folder), op("clone", [0, "none", 1]), op("wait", [1])],
      inside: [op("chdir", ["/nowhere"]), op("signal", [1]), op("await_start", ["gate"])],
    },
    ["--no-exec-wait"],
  );
  expect(report.failure).toEqual({ section: "inside", step: 0, errno: E.NOENT });
  expect(existsSync(`/proc/${report.pid}`)).toBe(false);
});

test("a command is looked for before it is executed", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("first/tool"), { recursive: true });
  mkdirSync(folder.at("second"));
  writeFileSync(folder.at("second/tool"), "", { mode: 0o755 });
  writeFileSync(folder.at("second/plain"), "", { mode: 0o644 });
  const search = `${folder.at("first")}:${folder.at("second")}`;
  const check = async (name: string) =>
    (await run({ outside: [op("check_exec", [name, search])] })).report.failure?.errno;
  expect(await check("tool")).toBeUndefined();
  expect(await check("plain")).toBe(E.ACCES);
  expect(await check("none")).toBe(E.NOENT);
  expect(await check(folder.at("second/tool"))).toBeUndefined();
  expect(await check(folder.at("second/plain"))).toBe(E.ACCES);
  expect(await check(folder.at("first"))).toBe(21 /* EISDIR */);
  expect(await check(folder.at("none"))).toBe(E.NOENT);
});

test("without a descriptor that was passed there is none to take", async () => {
  const { report } = await run({ outside: [op("passed_fd", [], { out: "it" })] });
  expect(report.failure).toMatchObject({ errno: E.BADF });
});

test("a passed descriptor is there under any number, and a console goes to it", async () => {
  using folder = new Scratch();
  const { report } = await run(
    {
      outside: [
        op("passed_fd", [], { out: "it" }),
        op("openat", ["cwd", "/dev/null", 0, 0], { out: "tty" }),
        op("send_console_to", ["it", "tty"]),
      ],
    },
    ["--pass", "3"],
  );
  // Descriptor 3 is the report's file here, which is no socket.
  expect(report.failure).toEqual({ section: "outside", step: 2, errno: 88 /* ENOTSOCK */ });
  expect(folder.path).not.toBe("");
});

testWith({ root: true }, "standard streams get an owner, but for the machine's null device", async () => {
  using folder = new Scratch();
  writeFileSync(folder.at("out"), "");
  chownSync(folder.at("out"), 0, 0);
  const before = statSync("/dev/null").uid;
  const { report } = await run({
    outside: [
      op("openat", ["cwd", folder.at("out"), O.wronly, 0], { out: "out" }),
      op("openat", ["cwd", "/dev/null", O.rdwr, 0], { out: "null" }),
      op("set_stdio", ["null", "out", "null"]),
      op("own_stdio", [1234, 5678]),
    ],
  });
  expect(report.failure).toBeUndefined();
  expect([statSync(folder.at("out")).uid, statSync(folder.at("out")).gid]).toEqual([1234, 5678]);
  expect(statSync("/dev/null").uid).toBe(before);
});

testWith({ root: true }, "standard streams that are the host's null device become the root's own", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("dev"));
  const { report } = await run(
    {
      outside: [
        ...gateOf(folder),
        op("clone", [0, "none", 1]),
        op("write_identity", [folder.at("identity")]),
        op("wait", [1]),
      ],
      inside: [
        op("openat", ["cwd", folder.at("gate"), O.rdwr, 0], { out: "other" }),
        op("mknodat", ["cwd", folder.at("dev/null"), 0o020666, 0x103]),
        op("set_stdio", ["none", "other", "none"]),
        op("chroot", [folder.path]),
        op("reopen_null", []),
        op("signal", [1]),
        op("await_start", ["gate"]),
      ],
    },
    ["--no-exec-wait"],
  );
  expect(report.failure).toBeUndefined();
  const { pid } = identity(folder);
  const files = [0, 1, 2].map((fd) => statSync(`/proc/${pid}/fd/${fd}`).ino);
  const own = statSync(folder.at("dev/null")).ino;
  expect(files).toEqual([own, statSync(folder.at("gate")).ino, own]);
  process.kill(pid, "SIGKILL");
});

/** The foreground program in the place of a shell whose child it looks after; descriptor 9 is the recipe. */
function foreground(folder: Scratch, script: string, sections: Recipe["sections"] = {}, ...options: string[]) {
  writeFileSync(folder.at("recipe"), encode({ sections }));
  const line = `exec 9<${folder.at("recipe")}; ${script} & exec "$0" foreground "$@" $!`;
  return Bun.spawn(["sh", "-c", line, native(), ...options], { stdio: ["ignore", "pipe", "inherit"] });
}

test("the foreground program ends as its process has ended, and has cleaned up by then", async () => {
  using folder = new Scratch();
  const sections = {
    cleanup: [op("mkdirat", ["cwd", folder.at("cleaned"), 0o755])],
    remove: [op("mkdirat", ["cwd", folder.at("cleaned/removed"), 0o755])],
  };
  expect(await foreground(folder, "(exit 42)", sections, "--recipe", "9").exited).toBe(42);
  expect(existsSync(folder.at("cleaned/removed"))).toBe(true);
  expect(await foreground(folder, "sh -c 'kill -9 $$'").exited).toBe(137);
});

function isBlocked(pid: number, signal: number): boolean {
  const [, mask = "0"] = /^SigBlk:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

test("signals go to the process, which may live on", async () => {
  using folder = new Scratch();
  const child = foreground(folder, "(trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done)");
  await child.stdout.getReader().read();
  // Until it has blocked them they would end it, or the shell that is in its place.
  while (!isBlocked(child.pid, 10)) await Bun.sleep(1);
  child.kill("SIGWINCH");
  child.kill("SIGUSR1");
  expect(await child.exited).toBe(7);
});

test("a process that is no child of it is not waited for", async () => {
  const child = Bun.spawn([native(), "foreground", "1"], { stdio: ["ignore", "pipe", "pipe"] });
  expect(await child.exited).toBe(2);
  expect(await child.stderr.text()).toContain("no child");
});
