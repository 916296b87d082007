import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DbusConnection } from "./connection.ts";
import { decodeMessage, encodeMessage, type Message, messageType } from "./message.ts";

const folder = mkdtempSync(join(tmpdir(), "galley-dbus-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

const HELLO = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
const WELCOME = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";

type Answer = (call: Message) => readonly Omit<Message, "serial">[];

/** A peer as systemd is one: what comes together with the lines before the first message is forgotten. */
function listen(welcome: string, answer: Answer = () => []) {
  const path = join(folder, `socket-${++count}`);
  let isIn = false;
  const server = Bun.listen({
    unix: path,
    socket: {
      data(socket, bytes) {
        if (!isIn) {
          expect(bytes.toString("latin1")).toStartWith(HELLO);
          isIn = true;
          socket.write(welcome);
          return;
        }
        const call = decodeMessage(bytes)?.message;
        if (call === undefined) return;
        const all = answer(call).map((one) => encodeMessage({ ...one, serial: 1 }));
        // In two pieces, so that a reader has to wait for the second.
        const whole = Buffer.concat(all);
        socket.write(whole.subarray(0, 20));
        setTimeout(() => socket.write(whole.subarray(20)), 5);
      },
    },
  });
  return { path, [Symbol.dispose]: () => server.stop(true) };
}

const get = { path: "/", interface: "a.b", member: "Get" };

test("a call is sent once the peer let us in, and its answer comes back", async () => {
  using peer = listen(WELCOME, ({ serial, member }) => [
    { type: messageType.signal, path: "/", interface: "a.b", member: "Seen", signature: "u", body: [5] },
    { type: messageType.reply, replySerial: serial, signature: "s", body: [`${member}!`] },
  ]);
  using connection = await DbusConnection.open(peer.path);
  const seen: unknown[] = [];
  connection.onSignal(({ member, body }) => seen.push([member, ...body]));
  expect(await connection.call(get)).toEqual(["Get!"]);
  expect(seen).toEqual([["Seen", 5]]);
});

test("a refusal has its name and its words", async () => {
  using peer = listen(WELCOME, ({ serial }) => [
    { type: messageType.error, replySerial: serial, errorName: "a.b.No", signature: "s", body: ["not now"] },
  ]);
  using connection = await DbusConnection.open(peer.path);
  await expect(connection.call(get)).rejects.toMatchObject({ errorName: "a.b.No", message: "not now" });
});

test("who is not let in is told", async () => {
  using peer = listen("REJECTED EXTERNAL\r\n");
  await expect(DbusConnection.open(peer.path)).rejects.toThrow("does not take this user");
});

test("nobody listens, and nothing is a message", async () => {
  await expect(DbusConnection.open(join(folder, "nosuch"))).rejects.toThrow("nobody listens");
  using peer = listen(`${WELCOME}what else is said to a client of another kind`);
  const opened = DbusConnection.open(peer.path).then((connection) => connection.call(get));
  await expect(opened).rejects.toThrow("no D-Bus message");
});

test("a peer that does not let us in is waited for a while, and no longer", async () => {
  using peer = listen("");
  await expect(DbusConnection.open(peer.path, 20)).rejects.toMatchObject({
    code: "deadline_exceeded",
    message: expect.stringContaining("does not answer"),
  });
});
