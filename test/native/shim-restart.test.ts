import { expect } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { E, O, op, Scratch } from "./program.ts";
import { isAlive, Shim } from "./shim.ts";

const root = (name: string, body: () => Promise<void>, timeout?: number) =>
  testWith({ root: true }, name, body, timeout);

/** A script that counts its runs in a file, then goes on. */
const counting = (folder: Scratch, then: string) => `echo run >> ${folder.at("runs")}; ${then}`;
const runs = (folder: Scratch) => readFileSync(folder.at("runs"), "utf8").split("\n").length - 1;
const onFailure = (maxRetries: number) => ({ restart: { policy: "on-failure", maxRetries } }) as const;
const always = { restart: { policy: "always", maxRetries: 0 } } as const;

root("on-failure restarts as often as it may, with pauses that double", async () => {
  using folder = new Scratch();
  const append = op("write_file", ["cwd", folder.at("cleaned"), Buffer.from("c"), O.creat | 0o2000, 0o600]);
  const began = performance.now();
  await using shim = await Shim.start(counting(folder, "exit 3"), { ...onFailure(3), sections: { cleanup: [append] } });
  expect((await shim.client.wait()).code).toBe(3);
  // 100 + 200 + 400 ms of pauses: less would be another policy. How much more is the machine's affair.
  expect(performance.now() - began).toBeGreaterThanOrEqual(700);
  expect(shim.status()).toMatchObject({ state: "exited", exit: "3", restarts: "3" });
  expect(runs(folder)).toBe(4);
  expect(readFileSync(folder.at("cleaned"), "utf8")).toBe("cccc");
});

root("on-failure leaves a success alone", async () => {
  using folder = new Scratch();
  await using shim = await Shim.start(counting(folder, "exit 0"), onFailure(3));
  expect((await shim.client.wait()).code).toBe(0);
  expect([runs(folder), shim.status().restarts]).toEqual([1, "0"]);
});

root("always restarts a success; clients stay attached, input and output go to the new run", async () => {
  await using shim = await Shim.start("echo begun; read line; echo got $line", always);
  await shim.client.until("begun");
  const first = shim.initPid;
  shim.client.input("one\n");
  await shim.client.until("got one\nbegun");
  await shim.until("running", { restarts: "1" });
  expect(shim.initPid).not.toBe(first);
  shim.client.input("two\n");
  await shim.client.until("got two");
  expect(
    shim
      .log()
      .map((entry) => entry.log)
      .slice(0, 4),
  ).toEqual(["begun\n", "got one\n", "begun\n", "got two\n"]);
  expect(await shim.client.kill(9, 1)).toBeOneOf([0]);
  await shim.client.wait();
});

root("a kill that forbids a restart ends the container for good; one that does not lets it start again", async () => {
  await using shim = await Shim.start("echo begun; sleep 60", always);
  await shim.client.until("begun");
  expect(await shim.client.kill(9)).toBe(0);
  await shim.until("running", { restarts: "1" });
  expect(await shim.client.kill(9, 1)).toBe(0);
  expect(await shim.client.wait()).toMatchObject({ code: 137, signal: 9 });
  expect(shim.status()).toMatchObject({ state: "exited", restarts: "1", exit: "137" });
});

root("a pending restart is told, cannot be killed without being given up, and is given up when asked", async () => {
  await using shim = await Shim.start("exit 9", onFailure(0));
  await shim.until("restarting", { restarts: "3" });
  expect(await shim.client.kill(15)).toBe(E.SRCH);
  expect(await shim.client.pause()).toBe(E.SRCH);
  expect(await shim.client.noRestart()).toBe(0);
  expect((await shim.client.wait()).code).toBe(9);
  expect(shim.status()).toMatchObject({ state: "exited", exit: "9" });
  await using other = await Shim.start("exit 9", onFailure(0));
  await other.until("restarting", { restarts: "3" });
  expect(await other.client.kill(9, 1)).toBe(0);
  expect((await other.client.wait()).code).toBe(9);
});

root("a restart that fails ends the container and tells the step", async () => {
  using folder = new Scratch();
  writeFileSync(folder.at("needed"), "");
  await using shim = await Shim.start("read line; exit 4", {
    ...always,
    inside: [op("openat", ["cwd", folder.at("needed"), 0, 0])],
  });
  rmSync(folder.at("needed"));
  shim.client.input("\n");
  expect((await shim.client.wait()).code).toBe(128);
  const step = 2; // after the session and the streams
  expect(shim.status()).toMatchObject({ state: "exited", exit: "128", failed: `1 ${step} ${E.NOENT}` });
  await shim.client.closed;
  expect(existsSync(shim.socketPath)).toBe(false);
});

root("no descriptor and no memory is left over from one run to the next", async () => {
  using folder = new Scratch();
  await using shim = await Shim.start("sleep 60", {
    ...always,
    outside: [op("openat", ["cwd", folder.path, O.directory, 0], { out: "leak" })],
    sections: { cleanup: [op("fchdir", ["leak"], { tolerate: [E.BADF] })] },
  });
  const counts: number[] = [];
  for (let round = 0; round < 3; round++) {
    await shim.until("running", { restarts: `${round}` });
    const { pid } = shim;
    expect(isAlive(pid)).toBe(true);
    await shim.client.status(); // what follows the start has been done
    counts.push(Array.from(new Bun.Glob("*").scanSync({ cwd: `/proc/${pid}/fd`, onlyFiles: false })).length);
    await shim.client.kill(9);
  }
  expect(new Set(counts).size).toBe(1);
});
