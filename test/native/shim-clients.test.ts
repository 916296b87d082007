import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { Shim } from "./shim.ts";

const root = (name: string, body: () => Promise<void>, timeout?: number) =>
  testWith({ root: true }, name, body, timeout);

root("several clients see the same output from when they attach, and input of any of them arrives", async () => {
  await using shim = await Shim.start("while read line; do echo got $line; done");
  const other = await shim.connect();
  shim.client.input("early\n");
  await shim.client.until("got early");
  expect(await other.attach()).toBe(0);
  other.input("from-other\n");
  await Promise.all([shim.client.until("got from-other"), other.until("got from-other")]);
  expect(other.text(1)).toBe("got from-other\n");
  const reader = await shim.connect();
  expect(await reader.attach(2)).toBe(0);
  shim.client.input("last\n");
  await reader.until("got last");
  expect(reader.text(1)).toBe("got last\n");
});

root("the end of standard input reaches the container after what was sent before it", async () => {
  await using shim = await Shim.start("wc -c");
  const size = 300_000;
  shim.client.input("x".repeat(60_000));
  for (let sent = 60_000; sent < size; sent += 60_000) shim.client.input("x".repeat(60_000));
  shim.client.closeStdin();
  await shim.client.wait();
  expect(shim.client.text(1).trim()).toBe(`${size}`);
});

root("with stdin once, the container's input ends with the first client; otherwise it stays open", async () => {
  await using once = await Shim.start("cat; echo ended", { stdinOnce: true });
  const watcher = await once.connect();
  await watcher.attach(2);
  once.client.input("some\n");
  await watcher.until("some");
  // Asked for before it comes: without input the container may end at once, and the shim with it.
  const ended = watcher.wait();
  once.client.close();
  expect((await ended).code).toBe(0);
  expect(watcher.text(1)).toBe("some\nended\n");
  await using open = await Shim.start("cat; echo ended");
  const second = await open.connect();
  await second.attach();
  open.client.close();
  second.input("still open\n");
  await second.until("still open");
  const end = second.wait();
  second.closeStdin();
  expect((await end).code).toBe(0);
});

root("where input is not kept open, the container has none", async () => {
  await using shim = await Shim.start("cat; echo ended", { openStdin: false });
  expect((await shim.client.wait()).code).toBe(0);
  expect(shim.client.text(1)).toBe("ended\n");
});

root("input of a client that has gone arrives all the same, once the container reads", async () => {
  await using shim = await Shim.start("read go < /dev/null; sleep 0.3; cat");
  const writer = await shim.connect();
  await writer.attach(1);
  writer.input("y".repeat(60_000));
  writer.input("z".repeat(60_000));
  while (writer.unsent > 0) await Bun.sleep(1);
  writer.close();
  while (shim.client.text(1).length < 120_000) await Bun.sleep(1);
  expect(shim.client.text(1)).toBe("y".repeat(60_000) + "z".repeat(60_000));
});

root("a container that does not read its input does not hinder other requests", async () => {
  await using shim = await Shim.start("echo ready; sleep 60");
  await shim.client.until("ready");
  for (let i = 0; i < 20; i++) shim.client.input("x".repeat(60_000));
  const other = await shim.connect();
  expect((await other.status()).state).toBe("running");
  expect(await other.kill(9)).toBe(0);
  expect((await other.wait()).code).toBe(137);
});

root("a client that reads nothing holds the output up while it is attached, and no longer", async () => {
  await using shim = await Shim.start("read line; seq 1 300000; echo over");
  const slow = await shim.connect();
  await slow.attach(2);
  slow.stall();
  shim.client.input("\n");
  await shim.client.until("\n1000\n");
  const other = await shim.connect();
  expect((await other.status()).state).toBe("running"); // the shim itself is not held up
  const before = shim.client.text(1).length;
  slow.close();
  await shim.client.until("over");
  expect(before).toBeLessThan(shim.client.text(1).length);
  expect((await shim.client.wait()).code).toBe(0);
  expect(shim.log().length).toBe(300_001);
});

root("whoever reads only after the container and its shim have gone finds all output and the exit", async () => {
  // More than a socket holds of small pieces, but no more than socket, shim and pipe do together: the container is not held up.
  await using shim = await Shim.start("read line; head -c 150000 /dev/zero | tr '\\0' x; exit 8", { log: false });
  const late = await shim.connect();
  await late.attach(2);
  const exit = late.wait();
  expect((await late.status()).state).toBe("running");
  late.stall();
  shim.client.input("\n");
  await shim.gone();
  late.read();
  expect((await exit).code).toBe(8);
  expect(late.text(1).length).toBe(150_000);
});

testWith(
  { root: true, commands: ["prlimit"] },
  "a client for whom no descriptor is left is served later, and the shim rests until then",
  async () => {
    await using shim = await Shim.start("echo ready; sleep 60");
    await shim.client.until("ready");
    const limit = (files: string) => Bun.spawnSync(["prlimit", "--pid", `${shim.pid}`, `--nofile=${files}`]).exitCode;
    const cpuTicks = () => {
      const fields = readFileSync(`/proc/${shim.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    expect(limit("8:1024")).toBe(0);
    const refused = await shim.connect();
    const status = refused.status();
    const before = cpuTicks();
    await Bun.sleep(300);
    expect(cpuTicks() - before).toBeLessThan(10); // of the 30 that a loop would take
    expect(limit("1024:1024")).toBe(0);
    expect((await status).state).toBe("running");
  },
);
