import { expect } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { parseReport } from "../../src/recipe/report.ts";
import { testWith } from "../harness/requirements.ts";
import { E, O, op, Scratch, text } from "./program.ts";
import { isAlive, Shim } from "./shim.ts";
import { ShimClient } from "./shim-client.ts";

const root = (name: string, body: () => Promise<void>, timeout?: number) =>
  testWith({ root: true }, name, body, timeout);

root("output, exit code and records of a container", async () => {
  await using shim = await Shim.start("echo out; echo err >&2; read line; echo $line; exit 7");
  expect(shim.report.failure).toBeUndefined();
  expect(shim.status()).toMatchObject({
    state: "running",
    restarts: "0",
    init: `${shim.report.pid} ${shim.report.startTime}`,
  });
  expect(shim.status().boot).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  shim.client.input("typed\n");
  expect(await shim.client.wait()).toEqual({ code: 7, signal: 0, oomKilled: false });
  expect([shim.client.text(1), shim.client.text(2)]).toEqual(["out\ntyped\n", "err\n"]);
  await shim.client.closed;
  expect(existsSync(shim.socketPath)).toBe(false);
  const status = shim.status();
  expect(status).toMatchObject({ state: "exited", exit: "7", oom: "0" });
  expect(BigInt(status.finished ?? 0)).toBeGreaterThan(BigInt(status.started ?? 0));
  expect(
    shim
      .log()
      .map((entry) => `${entry.stream}:${entry.log}`)
      .sort(),
  ).toEqual(["stderr:err\n", "stdout:out\n", "stdout:typed\n"]);
  const timings = parseReport(readFileSync(shim.folder.at("run/timings")), shim.report.timings.outside.length);
  expect(timings).toEqual(shim.report);
});

root("a container that is killed tells its signal", async () => {
  await using shim = await Shim.start("echo ready; sleep 60");
  await shim.client.until("ready");
  const other = await shim.connect();
  expect(await other.kill(9)).toBe(0);
  expect(await other.wait()).toEqual({ code: 137, signal: 9, oomKilled: false });
  await other.closed;
  expect(shim.status()).toMatchObject({ state: "exited", exit: "137", signal: "9" });
});

root("a start that fails leaves neither socket nor status nor process", async () => {
  await using shim = await Shim.start("true", {
    inside: [op("chdir", ["/nowhere"])],
    sections: { cleanup: [op("mkdirat", ["cwd", "/proc/self/nothing", 0])] },
  });
  expect(shim.report.failure).toMatchObject({ section: "inside", errno: E.NOENT });
  expect(isAlive(shim.report.pid)).toBe(false);
  expect(readdirSync(shim.folder.at("run"))).toEqual([]);
});

root("a shim whose socket cannot be made does not start", async () => {
  await using shim = await Shim.start("true", { socketPath: "/nowhere/socket" });
  expect(shim.report.failure?.errno).toBe(E.NOENT);
});

root("the socket is its owner's alone, at a path of any length, and replaces a stale one", async () => {
  using folder = new Scratch();
  const path = folder.at("s".repeat(200));
  writeFileSync(path, "stale");
  await using shim = await Shim.start("sleep 60", { socketPath: path });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(path).isSocket()).toBe(true);
  expect((await shim.client.status()).state).toBe("running");
  await shim.client.kill(9);
  await shim.client.wait();
  await shim.client.closed;
  expect(existsSync(path)).toBe(false);
});

root("the shim is private: not dumpable, from sealed memory, with no descriptor but its own", async () => {
  using folder = new Scratch();
  await using shim = await Shim.start("echo ready; sleep 60", {
    outside: [op("openat", ["cwd", folder.path, O.directory, 0], { out: "leak" })],
  });
  await shim.client.until("ready");
  const proc = `/proc/${shim.pid}`;
  expect(readlinkSync(`${proc}/exe`)).toContain("memfd:galley-native");
  expect(readFileSync(`${proc}/comm`, "utf8")).toBe("galley-shim\n");
  expect(readlinkSync(`${proc}/cwd`)).toBe("/");
  const open = readdirSync(`${proc}/fd`).map((fd) => readlinkSync(`${proc}/fd/${fd}`).replace(/:.*/, ""));
  const allowed = ["/dev/null", "pipe", "socket", "anon_inode", shim.folder.at("log")];
  expect(open.filter((name) => !allowed.includes(name))).toEqual([]);
  expect(open.filter((name) => name === "pipe")).toHaveLength(3);
  const stat = readFileSync(`${proc}/stat`, "utf8").split(" ");
  expect(stat[5]).toBe(`${shim.pid}`); // a session of its own
  expect(() => writeFileSync(`${proc}/exe`, "x", { flag: "r+" })).toThrow();
});

root("an idle shim has less than 128 KiB of memory to itself, after work too", async () => {
  await using shim = await Shim.start("head -c 20000000 /dev/zero; echo done; sleep 60", {
    log: { maxSize: 1 << 20, maxFiles: 2 },
  });
  await shim.client.until("done");
  shim.client.close();
  const privateKiB = () => {
    const rollup = readFileSync(`/proc/${shim.pid}/smaps_rollup`, "utf8");
    const value = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(rollup)?.[1]);
    return value("Private_Clean") + value("Private_Dirty");
  };
  while (privateKiB() >= 128) await Bun.sleep(20);
  expect(privateKiB()).toBeLessThan(128);
});

root("sections run when they should, in order", async () => {
  using folder = new Scratch();
  const write = (name: string) => op("write_file", ["cwd", folder.at("order"), text(name), O.creat | 0o2000, 0o600]);
  await using shim = await Shim.start("echo ready; sleep 60", {
    sections: {
      pause: [write("pause ")],
      resume: [write("resume ")],
      kill: [write("kill ")],
      cleanup: [op("chdir", ["/nowhere"]), write("cleanup ")],
      remove: [write("remove ")],
    },
  });
  await shim.client.until("ready");
  expect(await shim.client.resume()).toBe(E.ALREADY);
  expect(await shim.client.pause()).toBe(0);
  expect(shim.status().state).toBe("paused");
  expect(await shim.client.pause()).toBe(E.ALREADY);
  expect(await shim.client.kill(9)).toBe(0);
  await shim.client.wait();
  expect(readFileSync(folder.at("order"), "utf8")).toBe("pause resume kill cleanup remove ");
});

root("without a section for it a pause is refused", async () => {
  await using shim = await Shim.start("sleep 60");
  expect(await shim.client.pause()).toBe(95);
  expect(await shim.client.resume()).toBe(E.ALREADY);
  expect(await shim.client.resize(10, 10)).toBe(E.NOTTY);
});

root("remove may take the record away; whoever waits has the exit all the same", async () => {
  using record = new Scratch();
  mkdirSync(record.at("of/it"), { recursive: true });
  await using shim = await Shim.start("read line; exit 3", {
    sections: { remove: [op("remove_tree", ["cwd", record.at("of")])] },
  });
  shim.client.input("\n");
  expect((await shim.client.wait()).code).toBe(3);
  expect(existsSync(record.at("of"))).toBe(false);
});

root("what a test starts goes with its scope, wherever its record is and whether it is still there", async () => {
  using elsewhere = new Scratch();
  const started: number[] = [];
  for (const options of [{}, { statusPath: elsewhere.at("status") }]) {
    await using shim = await Shim.start("echo ready; sleep 60", options);
    await shim.client.until("ready");
    started.push(shim.pid, shim.initPid);
    rmSync(shim.statusPath);
  }
  {
    await using shim = await Shim.start("echo ready; sleep 60", { statusPath: elsewhere.at("kept") });
    await shim.client.until("ready");
    started.push(shim.pid, shim.initPid);
  }
  expect(new Set(started).size).toBe(6);
  expect(started.filter(isAlive)).toEqual([]);
});

root("a client that connects as the container ends hears of it", async () => {
  for (let round = 0; round < 20; round++) {
    await using shim = await Shim.start("read line; exit 5", { log: false });
    shim.client.input("\n");
    const late = await shim.connect().catch(() => undefined);
    if (late !== undefined) expect((await Promise.race([late.wait(), late.closed]))?.code ?? 5).toBe(5);
    await shim.gone();
    expect(shim.status().exit).toBe("5");
  }
});

root("processes that outlive the first are killed, and their output is taken", async () => {
  using folder = new Scratch();
  const pids = folder.at("pids");
  await using shim = await Shim.start(`(echo late; exec sleep 300) & echo $! > ${pids}; echo early; exit 4`, {
    flags: 0,
    sections: { kill: [op("await_file", ["cwd", pids, text("\n"), 1000])] },
  });
  expect((await shim.client.wait()).code).toBe(4);
  expect(shim.client.text(1).split("\n").sort()).toEqual(["", "early", "late"]);
  process.kill(Number(readFileSync(pids, "utf8")), 9);
});

root("damaged requests end their connection and nothing else", async () => {
  await using shim = await Shim.start("sleep 60");
  for (const bytes of ["Q\0\0\0\0\0\0\0", "K\0\0\0\x02\0\0\0ab", "I\0\0\0\xff\xff\xff\xff", "A\0\0\0\0\0\0\0"]) {
    const ended = new Promise<void>((resolve) => {
      const socket = connect(shim.socketPath, () => socket.write(Buffer.from(bytes, "latin1")));
      socket.on("close", () => resolve());
      socket.resume();
    });
    await ended;
  }
  expect((await shim.client.status()).state).toBe("running");
});

root("three hundred clients at once are served, in turn", async () => {
  await using shim = await Shim.start("read line; exit 6");
  const clients = await Promise.all(Array.from({ length: 240 }, () => shim.connect()));
  const exits = clients.map((client) => client.wait());
  expect(await Promise.all(clients.map(async (client) => (await client.status()).state))).toEqual(
    clients.map(() => "running"),
  );
  const more = await Promise.all(Array.from({ length: 60 }, () => shim.connect()));
  const late = more.map((client) => client.wait());
  for (const client of clients.slice(0, 100)) client.close();
  shim.client.input("\n");
  const all = await Promise.all([...exits.slice(100), ...late]);
  expect(new Set(all.map((exit) => exit.code))).toEqual(new Set([6]));
});

root("the starting process may be killed at any moment", async () => {
  const script = `import { Shim } from ${JSON.stringify(`${import.meta.dir}/shim.ts`)};
    const shim = await Shim.start("while read line; do echo got $line; done", { attach: false });
    console.log(shim.folder.path); process.kill(process.pid, 9);`;
  const starter = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  const folder = (await starter.stdout.text()).trim();
  await starter.exited;
  const client = await ShimClient.connect(`${folder}/run/socket`);
  await client.attach();
  client.input("hello\n");
  await client.until("got hello");
  await client.kill(9);
  expect((await client.wait()).code).toBe(137);
  await client.closed;
  Bun.spawnSync(["rm", "-r", folder]);
});
