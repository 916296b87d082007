import { expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../harness/requirements.ts";
import { op, Scratch } from "./program.ts";
import { isAlive, Shim, type ShimOptions } from "./shim.ts";
import { parseStatus, ShimClient } from "./shim-client.ts";

const root = (name: string, body: () => Promise<void>, timeout?: number) =>
  testWith({ root: true }, name, body, timeout);

/** A small file system of its own, until the end of the scope. */
class SmallDisk implements Disposable {
  readonly folder = new Scratch();

  constructor(size: string) {
    const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", this.folder.path]);
    if (mounted.exitCode !== 0) throw new Error(mounted.stderr.toString());
  }

  at(...names: readonly string[]): string {
    return this.folder.at(...names);
  }

  /** Leaves not a byte. */
  fill(): void {
    Bun.spawnSync(["sh", "-c", `cat /dev/zero > ${this.at("ballast")} 2>/dev/null`]);
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["umount", "-l", this.folder.path]);
    this.folder[Symbol.dispose]();
  }
}

const onDisk = (disk: SmallDisk): ShimOptions => ({ statusPath: disk.at("status") });
const statusOn = (disk: SmallDisk) => parseStatus(readFileSync(disk.at("status"), "utf8"));

root("a full disk keeps the exit status", async () => {
  using disk = new SmallDisk("64k");
  await using shim = await Shim.start("read line; exit 11", onDisk(disk));
  disk.fill();
  shim.client.input("\n");
  expect((await shim.client.wait()).code).toBe(11);
  await shim.client.closed;
  expect(statusOn(disk)).toMatchObject({ state: "exited", exit: "11" });
  expect(readdirSync(disk.folder.path).sort()).toEqual(["ballast", "status"]);
});

root("a container whose status cannot be written does not run, and leaves nothing", async () => {
  using disk = new SmallDisk("16k");
  disk.fill();
  await using shim = await Shim.start("sleep 60", {
    ...onDisk(disk),
    sections: { cleanup: [op("unlinkat", ["cwd", disk.at("ballast"), 0])] },
  });
  expect(shim.report.failure?.errno).toBe(28);
  expect(shim.report.timings.outside).toEqual([]);
  expect(existsSync(disk.at("ballast"))).toBe(false);
  expect(existsSync(shim.socketPath)).toBe(false);
});

root(
  "a full disk loses lines, says how many, never blocks the container, and is written to again when it has room",
  async () => {
    using disk = new SmallDisk("256k");
    await using shim = await Shim.start("read line; seq 1 20000; echo written; read line; echo afterwards", {
      logPath: disk.at("log"),
    });
    shim.client.input("\n");
    await shim.client.until("written");
    const lost = Number((await shim.client.status()).lost);
    expect(lost).toBeGreaterThan(0);
    const lines = () =>
      readFileSync(disk.at("log"), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).log as string);
    const kept = lines();
    expect(kept.length + lost).toBe(20_001);
    expect(kept.every((line, index) => line === `${index + 1}\n`)).toBe(true);
    Bun.spawnSync(["mount", "-o", "remount,size=1m", disk.folder.path]);
    shim.client.input("\n");
    await shim.client.wait();
    expect(lines().at(-1)).toBe("afterwards\n");
  },
);

root("signals that end a session or a machine do not end the shim", async () => {
  await using shim = await Shim.start("echo ready; read line; exit 3");
  await shim.client.until("ready");
  for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGPIPE", "SIGUSR1"]) process.kill(shim.pid, signal);
  shim.client.input("\n");
  expect((await shim.client.wait()).code).toBe(3);
});

root(
  "a shim that is killed says nothing false: its pid and start time name nobody, and the container is still there",
  async () => {
    await using shim = await Shim.start("echo ready; sleep 60");
    await shim.client.until("ready");
    const [pid, init] = [shim.pid, shim.initPid];
    process.kill(pid, 9);
    await shim.client.closed;
    while (isAlive(pid)) await Bun.sleep(1);
    expect(shim.status().state).toBe("running");
    expect(isAlive(init)).toBe(true);
    await expect(ShimClient.connect(shim.socketPath)).rejects.toThrow();
    process.kill(init, 9);
  },
);

root("kill -9 of every client loses no line and no status", async () => {
  await using shim = await Shim.start("read line; seq 1 100000; exit 21");
  const killed = Bun.spawn(
    [
      process.execPath,
      "-e",
      `import { ShimClient } from ${JSON.stringify(join(import.meta.dir, "shim-client.ts"))};
      const client = await ShimClient.connect(${JSON.stringify(shim.socketPath)});
      await client.attach(); client.input("\\n"); await client.until("500"); client.stall(); process.kill(process.pid, 9);`,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  shim.client.close();
  await killed.exited;
  await shim.gone();
  expect(shim.status()).toMatchObject({ state: "exited", exit: "21" });
  expect(shim.log().map((entry) => entry.log)).toEqual(Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`));
});

const memory = "/sys/fs/cgroup/memory";

testWith({ root: true, paths: [`${memory}/cgroup.event_control`] }, "an OOM kill is told (cgroup v1)", async () => {
  const group = `${memory}/galley-shim-oom-${process.pid}`;
  mkdirSync(group);
  writeFileSync(`${group}/memory.limit_in_bytes`, "8M");
  const enter = op("write_file", ["cwd", `${group}/cgroup.procs`, Buffer.from("0"), 0, 0]);
  const options = { outside: [op("watch_oom", [group], { out: "oom" })], inside: [enter], oom: { slot: "oom" } };
  await using eats = await Shim.start("x=$(head -c 64000000 /dev/zero | tr '\\0' x); echo $x", options);
  expect(await eats.client.wait()).toMatchObject({ oomKilled: true });
  expect(eats.status().oom).toBe("1");
  await using frugal = await Shim.start("true", options);
  expect(await frugal.client.wait()).toMatchObject({ code: 0, oomKilled: false });
  await eats.gone();
  while (readFileSync(`${group}/cgroup.procs`, "utf8") !== "") await Bun.sleep(1);
  rmdirSync(group);
});

root("an OOM kill is read from memory.events (cgroup v2)", async () => {
  using folder = new Scratch();
  const path = folder.at("memory.events");
  writeFileSync(path, "low 0\nhigh 0\nmax 9\noom 1\noom_kill 0\noom_group_kill 0\n");
  await using not = await Shim.start("exit 137", { oom: { path } });
  expect((await not.client.wait()).oomKilled).toBe(false);
  writeFileSync(path, "low 0\nhigh 0\nmax 9\noom 1\noom_kill 2\noom_group_kill 0\n");
  await using killed = await Shim.start("exit 137", { oom: { path } });
  expect((await killed.client.wait()).oomKilled).toBe(true);
  expect(killed.status().oom).toBe("1");
});
