import { expect } from "bun:test";
import { createServer } from "node:net";
import { testWith } from "../harness/requirements.ts";
import { E, op, run, Scratch, text } from "./program.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);
/** One instruction: return SECCOMP_RET_ALLOW. */
const allow = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
const NOWHERE = 0xffff_ffff;

root("a state is sent with the inside's pid in its places, which must be there", async () => {
  using folder = new Scratch();
  const received: string[] = [];
  const server = createServer((socket) => socket.on("data", (bytes) => received.push(bytes.toString())));
  await new Promise<void>((resolve) => server.listen(folder.at("agent"), resolve));
  const send = async (message: string, pidAt: number, alsoAt: number) =>
    await run({
      outside: [
        op("clone", [0, "none", 1]),
        op("wait", [1]),
        op("take_listener", [], { out: "listener" }),
        op("send_state", [folder.at("agent"), "listener", text(message), pidAt, alsoAt]),
      ],
      inside: [op("signal", [1]), op("seccomp_listen", [0, allow])],
    });
  const { report } = await send("a          b          c", 1, 12);
  expect(report.failure).toBeUndefined();
  expect((await send("unchanged", NOWHERE, NOWHERE)).report.failure).toBeUndefined();
  expect((await send("too short", 0, NOWHERE)).report.failure).toMatchObject({ step: 3, errno: E.INVAL });
  expect((await send("too short", NOWHERE, 1_000_000)).report.failure).toMatchObject({ step: 3, errno: E.INVAL });
  const pid = String(report.pid).padEnd(10);
  while (received.length < 2) await Bun.sleep(1);
  expect(received).toEqual([`a${pid}b${pid}c`, "unchanged"]);
  server.close();
});

root("a filter that is refused, and an inside that ends before it has one, end the wait for its listener", async () => {
  const outside = [op("clone", [0, "none", 1]), op("take_listener", [], { out: "listener" })];
  const refused = await run({ outside, inside: [op("seccomp_listen", [0, new Uint8Array(8)])] });
  expect(refused.report.failure).toEqual({ section: "inside", step: 0, errno: E.INVAL });
  const ended = await run({ outside, inside: [op("umask", [0])] });
  expect(ended.report.failure).toEqual({ section: "outside", step: 1, errno: E.CANCELED });
  const alone = await run({ outside: [op("seccomp_listen", [0, allow])] });
  expect(alone.report.failure).toEqual({ section: "outside", step: 0, errno: E.INVAL });
});
