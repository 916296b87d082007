import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStore, type Result, type Store } from "../harness/galley.ts";
import { testWith } from "../harness/requirements.ts";

const root = { root: true };
let store: Store;

beforeAll(() => {
  store = createStore();
});

afterAll(async () => {
  await store.cleanup();
});

function run(...args: string[]): Promise<Result> {
  return store.galley(["run", "--rm", ...args]);
}

describe("run", () => {
  testWith(root, "keeps the streams apart and passes the status on", async () => {
    expect(await run("-q", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7")).toEqual({
      status: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  testWith(root, "a signal's death is 128 and its number", async () => {
    expect((await run("busybox", "sh", "-c", "sh -c 'kill -TERM $$'; exit $?")).status).toBe(143);
  });

  testWith(root, "input ends where ours ends", async () => {
    const result = await store.galley(["run", "--rm", "-i", "busybox", "sh", "-c", "cat; echo end"], {
      stdin: "a\nb\n",
    });
    expect(result).toEqual({ status: 0, stdout: "a\nb\nend\n", stderr: "" });
  });

  testWith(root, "without -i there is no input", async () => {
    const result = await store.galley(["run", "--rm", "busybox", "cat"], { stdin: "a\n" });
    expect(result).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  testWith(root, "much output and input come through unharmed", async () => {
    const stdin = Buffer.alloc(5_000_000, "0123456789abcdef\n");
    const result = await store.galley(["run", "--rm", "-i", "busybox", "sh", "-c", "tee /dev/stderr"], { stdin });
    expect(result.stdout.length).toBe(stdin.length);
    expect(result.stdout === stdin.toString()).toBe(true);
    expect(result.stderr === result.stdout).toBe(true);
  });

  testWith(root, "only the streams that are asked for", async () => {
    expect(await run("-a", "stderr", "busybox", "sh", "-c", "echo out; echo err >&2")).toEqual({
      status: 0,
      stdout: "",
      stderr: "err\n",
    });
  });

  testWith(root, "no such command, not executable, a directory", async () => {
    const nothing = await run("busybox", "nosuch");
    expect(nothing.status).toBe(127);
    expect(nothing.stderr).toMatch(/^galley: .*nosuch.*\n$/);
    expect((await run("busybox", "/etc/passwd")).status).toBe(126);
    expect((await run("busybox", "/etc")).status).toBe(126);
  });

  testWith(root, "-d prints the ID alone, and --cidfile holds it", async () => {
    const file = join(store.home, "cid");
    const result = await store.galley(["run", "-d", "--cidfile", file, "busybox", "true"]);
    expect(result.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(readFileSync(file, "utf8")).toBe(result.stdout.trim());
    expect((await store.galley(["run", "--cidfile", file, "busybox", "true"])).status).toBe(125);
    await store.ok(["rm", "-f", result.stdout.trim()]);
  });

  testWith(root, "a file of a container that could not be made goes", async () => {
    const file = join(store.home, "cid-none");
    expect((await store.galley(["run", "--cidfile", file, "--user", "nosuch", "--name", "u", "busybox"])).status).toBe(
      125,
    );
    await store.galley(["rm", "-f", "u"]);
    expect((await store.galley(["run", "--cidfile", file, "--name", "bad name", "busybox"])).status).toBe(125);
    expect(existsSync(join(store.home, "cid-none"))).toBe(false);
  });

  testWith(root, "variables from files, the command line and the caller", async () => {
    const file = join(store.home, "env");
    writeFileSync(file, "# comment\nA=1\nB=two words\nCALLER\n");
    const { stdout } = await store.galley(
      [
        "run",
        "--rm",
        "--env-file",
        file,
        "-e",
        "A=2",
        "-e",
        "CALLER2",
        "busybox",
        "sh",
        "-c",
        "echo $A,$B,$CALLER,$CALLER2",
      ],
      { env: { CALLER: "x", CALLER2: "y" } },
    );
    expect(stdout).toBe("2,two words,x,y\n");
  });

  testWith(root, "--plan prints steps and makes nothing", async () => {
    await store.ok(["run", "--rm", "busybox", "true"]);
    const plan = await store.ok(["run", "--plan", "--name", "planned", "-p", "1234:80", "busybox", "true"]);
    expect(plan).toContain("outside:\n");
    expect(plan).toContain("exec([");
    expect((await store.galley(["inspect", "planned"])).status).toBe(1);
  });

  testWith(root, "a reader that goes ends the command and leaves the container", async () => {
    const child = Bun.spawn(
      ["sh", "-c", '"$@" | head -1', "sh", ...program(["run", "--name", "yes", "busybox", "yes"])],
      {
        env: environment(),
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    expect(await new Response(child.stdout).text()).toBe("y\n");
    expect(await new Response(child.stderr).text()).toContain("standard output was closed by its reader");
    expect(await store.ok(["inspect", "-f", "{{.State.Status}}", "yes"])).toBe("running");
    await store.ok(["rm", "-f", "yes"]);
  });
});

describe("signals", () => {
  testWith(root, "go to the container, and its status comes back", async () => {
    const session = store.spawn([
      "run",
      "--rm",
      "busybox",
      "sh",
      "-c",
      "trap 'echo got; exit 4' TERM; echo READY; while :; do sleep 0.05; done",
    ]);
    await session.waitFor("READY");
    session.kill("SIGTERM");
    expect(await session.ended()).toBe(4);
    expect(session.stdout).toBe("READY\ngot\n");
  });

  testWith(root, "stay here with --sig-proxy=false", async () => {
    const session = store.spawn([
      "run",
      "--name",
      "kept",
      "--sig-proxy=false",
      "busybox",
      "sh",
      "-c",
      "echo READY; sleep 100",
    ]);
    await session.waitFor("READY");
    session.kill("SIGTERM");
    await session.child.exited;
    expect(await store.ok(["inspect", "-f", "{{.State.Running}}", "kept"])).toBe("true");
    await store.ok(["rm", "-f", "kept"]);
  });

  testWith(root, "a killed command leaves the container and its log", async () => {
    const script = "echo one; while [ ! -e /go ]; do sleep 0.05; done; echo two; exit 3";
    const session = store.spawn(["run", "--name", "survivor", "busybox", "sh", "-c", script]);
    await session.waitFor("one");
    session.kill("SIGKILL");
    await session.child.exited;
    await store.ok(["exec", "survivor", "touch", "/go"]);
    expect(await store.ok(["wait", "survivor"])).toBe("3");
    expect(await store.ok(["logs", "survivor"])).toBe("one\ntwo");
    await store.ok(["rm", "survivor"]);
  });
});

function program(args: readonly string[]): string[] {
  return [process.env.GALLEY_TEST_PROGRAM ?? join(import.meta.dir, "../../bin/galley"), ...args];
}

function environment(): Record<string, string | undefined> {
  return { PATH: process.env.PATH, HOME: store.home, GALLEY_ROOT: store.root, GALLEY_RUNROOT: store.runroot };
}
