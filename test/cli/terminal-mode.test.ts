import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { PipeSession, type Session, TerminalSession } from "../harness/session.ts";

/** The flags of termios(3) that raw mode clears, and that a terminal starts with. */
const ECHO_ICANON_ISIG = 0x8 | 0x2 | 0x1;

const settings = { cwd: import.meta.dir, env: { PATH: process.env.PATH } };
const sessions: Session[] = [];

afterEach(() => {
  for (const session of sessions.splice(0)) session.kill("SIGKILL");
});

function start<T extends Session>(
  Kind: new (command: readonly string[], given: typeof settings) => T,
  ...args: string[]
): T {
  const [fixture = "", ...rest] = args;
  const session = new Kind([process.execPath, join(import.meta.dir, "fixtures", fixture), ...rest], settings);
  sessions.push(session);
  return session;
}

function localFlags(session: TerminalSession): number {
  return (session.child.terminal?.localFlags ?? 0) & ECHO_ICANON_ISIG;
}

describe("the terminal is as before", () => {
  for (const how of ["end", "throw"]) {
    test(`after the program's ${how}`, async () => {
      const session = start(TerminalSession, "raw-mode.ts", how);
      await session.waitFor("RAW");
      expect(localFlags(session)).toBe(0);
      session.write("\n");
      await session.child.exited;
      expect(localFlags(session)).toBe(ECHO_ICANON_ISIG);
    });
  }

  for (const [signal, status] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const) {
    test(`after ${signal}`, async () => {
      const session = start(TerminalSession, "raw-mode.ts", "wait");
      await session.waitFor("RAW");
      session.kill(signal);
      expect(await session.child.exited).toBe(status);
      expect(localFlags(session)).toBe(ECHO_ICANON_ISIG);
    });
  }
});

test("what is not read is not taken: a slow reader slows the writer", async () => {
  const script = `"$0" "$1" | { read -r go <&3; wc -c; }`;
  const fixture = join(import.meta.dir, "fixtures/slow-reader.ts");
  const child = Bun.spawn(["sh", "-c", script, process.execPath, fixture], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const gate = child.stdio[3];
  if (typeof gate !== "number") throw new Error("no gate");
  const reader = child.stderr.getReader();
  const said = async () => Buffer.from((await reader.read()).value ?? []).toString();
  expect(await said()).toBe("START\n");
  // More than the pipe holds can only be taken once somebody reads.
  const next = said();
  expect(await Promise.race([next, Bun.sleep(200).then(() => "silence")])).toBe("silence");
  await Bun.write(Bun.file(gate), "go\n");
  expect((await new Response(child.stdout).text()).trim()).toBe(String(16 * 256 * 1024));
  expect(await next).toStartWith("taken 1\n");
});

test("signals go to who asked for them, early ones too, and back to the process when that ends", async () => {
  const session = start(PipeSession, "signals.ts");
  await session.waitFor("READY");
  await session.waitFor("<10>");
  for (const [name, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
    ["SIGTSTP", 20],
    ["SIGWINCH", 28],
  ] as const) {
    session.kill(name);
    await session.waitFor(`<${number}>`);
  }
  await session.waitFor("CLOSED");
  session.kill("SIGTERM");
  await session.child.exited;
  expect(session.child.signalCode).toBe("SIGTERM");
});
