import { afterAll, afterEach, beforeAll, describe, expect } from "bun:test";
import { createStore, type Store } from "../harness/galley.ts";
import { testWith } from "../harness/requirements.ts";
import type { TerminalSession } from "../harness/session.ts";

const root = { root: true };
const ICANON = 0x2;
const DETACH = "\x10\x11";
let store: Store;
const names: string[] = [];

beforeAll(() => {
  store = createStore();
});

afterEach(async () => {
  for (const name of names.splice(0)) await store.galley(["rm", "-f", name]);
});

afterAll(async () => {
  await store.cleanup();
});

/** A container's name that is free, and that the end of the test removes. */
function named(name: string): string {
  names.push(name);
  return name;
}

/** A shell that shows that it is there without depending on its prompt. */
async function shell(...args: string[]): Promise<TerminalSession> {
  const session = store.terminal(args);
  session.write("echo RE''ADY\r");
  await session.waitFor("READY");
  return session;
}

function isRaw(session: TerminalSession): boolean {
  return ((session.child.terminal?.localFlags ?? ICANON) & ICANON) === 0;
}

describe("a terminal", () => {
  testWith(root, "has our size from the start, and follows it", async () => {
    const session = store.terminal(
      [
        "run",
        "--rm",
        "-it",
        "busybox",
        "sh",
        "-c",
        "stty size; trap 'stty size; exit' WINCH; echo GO; while :; do sleep 0.05; done",
      ],
      {
        columns: 91,
        rows: 17,
      },
    );
    await session.waitFor("GO");
    expect(session.stdout).toContain("17 91");
    session.resize(100, 33);
    await session.waitFor("33 100");
    expect(await session.ended()).toBe(0);
  });

  testWith(root, "is raw meanwhile and passes ctrl-c as a key", async () => {
    const session = await shell("run", "--rm", "-it", "busybox", "sh");
    expect(isRaw(session)).toBe(true);
    // While the shell reads a line or starts a program, ctrl-c is its own: the key is for a program that says that it runs.
    session.write("sh -c 'echo BE\"\"GUN; exec sleep 100'\r");
    await session.waitFor("BEGUN");
    session.write("\x03");
    session.write("echo $((40 + 2))\r");
    await session.waitFor("42");
    session.write("exit 5\r");
    expect(await session.child.exited).toBe(5);
    expect(isRaw(session)).toBe(false);
  });

  testWith(root, "needs ours", async () => {
    const result = await store.galley(["run", "--rm", "-it", "busybox", "true"]);
    expect(result).toMatchObject({ status: 1, stderr: "galley: the input device is not a TTY\n" });
  });

  testWith(root, "joins the streams and turns line ends", async () => {
    const result = await store.galley(["run", "--rm", "-t", "busybox", "sh", "-c", "echo out; echo err >&2"]);
    expect(result).toEqual({ status: 0, stdout: "out\r\nerr\r\n", stderr: "" });
  });

  testWith(root, "is restored when the command is ended", async () => {
    const name = named("ended");
    const session = await shell("run", "--sig-proxy=false", "--name", name, "-it", "busybox", "sh");
    session.kill("SIGTERM");
    expect(await session.child.exited).toBe(143);
    expect(isRaw(session)).toBe(false);
  });
});

describe("the detach keys", () => {
  testWith(root, "leave the container running; attach comes back", async () => {
    const name = named("left");
    const session = await shell("run", "--name", name, "-it", "busybox", "sh");
    session.write("x=remembered\r");
    session.write(DETACH);
    expect(await session.child.exited).toBe(0);
    expect(isRaw(session)).toBe(false);
    const back = store.terminal(["attach", name]);
    back.write("echo $x\r");
    await back.waitFor("remembered");
    back.write("exit 6\r");
    expect(await back.ended()).toBe(6);
  });

  testWith(root, "are told of by attach and exec", async () => {
    const name = named("told");
    await store.ok(["run", "-d", "--name", name, "-it", "busybox", "sh"]);
    for (const args of [
      ["attach", name],
      ["exec", "-it", name, "sh"],
    ]) {
      const session = await shell(...args);
      session.write(DETACH);
      expect(await session.ended()).toBe(1);
      expect(session.stdout).toContain("read escape sequence");
    }
    expect(await store.ok(["inspect", "-f", "{{.State.Running}}", name])).toBe("true");
  });

  testWith(root, "can be others", async () => {
    const session = await shell("run", "--name", named("others"), "--detach-keys", "ctrl-x,q", "-it", "busybox", "sh");
    session.write(DETACH);
    session.write("\x18");
    session.write("q");
    expect(await session.child.exited).toBe(0);
  });

  testWith(root, "mean nothing without a terminal", async () => {
    const result = await store.galley(["run", "--rm", "-i", "busybox", "wc", "-c"], { stdin: DETACH });
    expect(result.stdout.trim()).toBe("2");
  });
});

describe("start and attach", () => {
  testWith(root, "start -a gives output and status", async () => {
    const name = named("again");
    await store.galley(["run", "--name", name, "busybox", "sh", "-c", "echo hi; exit 3"]);
    expect(await store.galley(["start", "-a", name])).toEqual({ status: 3, stdout: "hi\n", stderr: "" });
  });

  testWith(root, "start -ai gives input", async () => {
    const name = named("fed");
    await store.ok(["create", "--name", name, "-i", "busybox", "cat"]);
    expect(await store.galley(["start", "-ai", name], { stdin: "fed\n" })).toEqual({
      status: 0,
      stdout: "fed\n",
      stderr: "",
    });
  });

  testWith(root, "attach refuses what does not run", async () => {
    const name = named("still");
    await store.galley(["run", "--name", name, "busybox", "true"]);
    const stopped = await store.galley(["attach", name]);
    expect(stopped.status).toBe(1);
    expect(stopped.stderr).toContain("cannot attach to a stopped container, start it first");
  });

  testWith(root, "two who are attached see the same", async () => {
    const name = named("seen");
    const script = "until read -t 1 x; do echo tick; done; echo heard $x";
    await store.ok(["run", "-d", "-i", "--name", name, "busybox", "sh", "-c", script]);
    const watching = store.spawn(["attach", "--no-stdin", name]);
    const typing = store.spawn(["attach", name]);
    await Promise.all([watching.waitFor("tick"), typing.waitFor("tick")]);
    typing.write("word\n");
    expect(await watching.ended()).toBe(0);
    expect(await typing.ended()).toBe(0);
    for (const { stdout } of [watching, typing]) expect(stdout).toEndWith("heard word\n");
  });
});

describe("exec", () => {
  testWith(root, "passes streams and status", async () => {
    const name = named("busy");
    await store.ok(["run", "-d", "--name", name, "busybox", "sleep", "1000"]);
    expect(
      await store.galley(
        ["exec", "-i", "-e", "A=b", "-w", "/tmp", name, "sh", "-c", "cat; echo $A; pwd; echo e >&2; exit 9"],
        { stdin: "in\n" },
      ),
    ).toEqual({
      status: 9,
      stdout: "in\nb\n/tmp\n",
      stderr: "e\n",
    });
    expect((await store.galley(["exec", name, "nosuch"])).status).toBe(127);
    expect((await store.galley(["exec", name, "/etc"])).status).toBe(126);
    expect((await store.galley(["exec", "nosuch", "true"])).status).toBe(1);
  });

  testWith(root, "has a terminal of its own size", async () => {
    const name = named("sized");
    await store.ok(["run", "-d", "--name", name, "busybox", "sleep", "1000"]);
    const session = store.terminal(["exec", "-it", name, "stty", "size"], { columns: 55, rows: 11 });
    expect(await session.ended()).toBe(0);
    expect(session.stdout).toBe("11 55\r\n");
  });
});
