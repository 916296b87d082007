/** attach: coming to a container that runs, and leaving it. */
import { describe, expect } from "bun:test";
import { testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

/** Says something until there is a file: whoever hears it is attached. */
const ticking = "while [ ! -e /go ]; do echo tick; sleep 0.02; done";

async function begin(name: string, script: string, ...flags: readonly string[]): Promise<void> {
  await store().ok(["run", "-d", ...flags, "--name", name, "busybox", "sh", "-c", script]);
}

describe("attach", () => {
  testWith(root, "two hear the same, and each gets the status", async () => {
    await begin("twice", `${ticking}; read a; echo out $a; echo err >&2; exit 4`, "-i");
    const listener = store().spawn(["attach", "--no-stdin", "twice"]);
    const speaker = store().spawn(["container", "attach", "twice"]);
    await Promise.all([listener.waitFor("tick"), speaker.waitFor("tick")]);
    await store().ok(["exec", "twice", "touch", "/go"]);
    speaker.write("x\n");
    for (const session of [listener, speaker]) {
      expect(await session.ended()).toBe(4);
      expect(session.stdout).toMatch(/^(tick\n)+out x\n$/);
      expect(session.stderr).toBe("err\n");
    }
    await store().ok(["rm", "twice"]);
  });

  testWith(root, "ctrl-p ctrl-q leaves a terminal, which is there when one comes back", async () => {
    await begin("term", "exec sh", "-it");
    const first = store().terminal(["attach", "term"]);
    await first.waitFor("#");
    first.write("A=kept\n");
    await first.waitFor(/A=kept\r\n.*#/s);
    first.write("\x10\x11");
    expect(await first.ended()).toBe(1);
    expect(first.stdout).toContain("read escape sequence");
    const second = store().terminal(["attach", "--detach-keys", "q,q", "term"]);
    await second.waitFor("#");
    second.write("echo is $A; exit 8\n");
    expect(await second.ended()).toBe(8);
    expect(second.stdout).toContain("is kept");
    await store().ok(["rm", "term"]);
  });

  testWith(root, "signals go on, unless --sig-proxy=false", async () => {
    await begin("sig", `trap 'echo got' USR1; ${ticking}`);
    const deaf = store().spawn(["attach", "--sig-proxy=false", "sig"]);
    await deaf.waitFor("tick");
    deaf.kill("SIGUSR1");
    await deaf.child.exited;
    const session = store().spawn(["attach", "sig"]);
    await session.waitFor("tick");
    session.kill("SIGUSR1");
    await session.waitFor("got");
    await store().ok(["exec", "sig", "touch", "/go"]);
    expect(await session.ended()).toBe(0);
    expect((await store().ok(["logs", "sig"])).split("\n").filter((line) => line === "got")).toHaveLength(1);
    await store().ok(["rm", "sig"]);
  });

  testWith(root, "not to what is stopped, paused or unknown", async () => {
    await store().ok(["create", "--name", "new", "busybox"]);
    await begin("cold", "sleep 1000");
    await store().ok(["pause", "cold"]);
    for (const [name, says] of [
      ["new", "cannot attach to a stopped container, start it first"],
      ["cold", "cannot attach to a paused container, unpause it first"],
      ["nosuch", "No such container: nosuch"],
    ] as const) {
      const { status, stderr } = await store().galley(["attach", name]);
      expect(stderr).toContain(says);
      expect(status).toBe(1);
    }
    await store().ok(["rm", "-f", "new", "cold"]);
  });
});
