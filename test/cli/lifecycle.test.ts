/** start, stop, restart, kill, pause, wait, rm, rename: as a person calls them. */
import { describe, expect } from "bun:test";
import { testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

const sleeper = ["busybox", "sleep", "1000"];
/** Says which signal it got and goes on; ends by itself for none. */
const talker = 'for s in HUP USR1 TERM; do trap "echo got $s" $s; done; echo ready; while :; do sleep 0.02; done';

function states(...names: readonly string[]): Promise<string> {
  return store().ok(["inspect", "-f", "{{.State.Status}}", ...names]);
}

async function said(name: string, text: string): Promise<void> {
  const session = store().spawn(["logs", "-f", name]);
  await session.waitFor(text);
  session.kill("SIGKILL");
}

function fails(args: readonly string[], says: string): Promise<void> {
  return store()
    .galley(args)
    .then(({ status, stderr }) => {
      expect(stderr).toContain(says);
      expect(status).toBe(1);
    });
}

describe("start", () => {
  testWith(root, "prints the names; -a shows the output and gives the status; -i takes input", async () => {
    await store().ok(["create", "--name", "one", "busybox", "sh", "-c", "echo out; echo err >&2; exit 3"]);
    await store().ok(["create", "-i", "--name", "two", "busybox", "cat"]);
    expect(await store().ok(["start", "one"])).toBe("one");
    expect(await store().ok(["wait", "one"])).toBe("3");
    expect(await store().galley(["start", "-a", "one"])).toEqual({ status: 3, stdout: "out\n", stderr: "err\n" });
    expect(await store().galley(["start", "--attach", "--interactive", "two"], { stdin: "in\n" })).toEqual({
      status: 0,
      stdout: "in\n",
      stderr: "",
    });
    await fails(["start", "-a", "one", "two"], "you cannot start and attach multiple containers at once");
    await store().ok(["rm", "one", "two"]);
  });

  testWith(root, "of several, those that can; of one that runs, nothing", async () => {
    await store().ok(["create", "--name", "ours", ...sleeper]);
    const result = await store().galley(["start", "nosuch", "ours"]);
    expect(result).toEqual({ status: 1, stdout: "ours\n", stderr: "galley: No such container: nosuch\n" });
    expect(await store().ok(["container", "start", "ours"])).toBe("ours");
    await store().ok(["rm", "-f", "ours"]);
  });

  testWith(root, "--detach-keys leave it running", async () => {
    await store().ok(["create", "-it", "--name", "left", "busybox", "sh"]);
    const session = store().terminal(["start", "-ai", "--detach-keys", "ctrl-b", "left"]);
    await session.waitFor("#");
    session.write("\x02");
    expect(await session.ended()).toBe(0);
    expect(await states("left")).toBe("running");
    await store().ok(["rm", "-f", "left"]);
  });
});

describe("stop, restart and kill", () => {
  testWith(root, "stop -t and -s: the signal, then the end", async () => {
    await store().ok(["run", "-d", "--name", "talker", "busybox", "sh", "-c", talker]);
    await said("talker", "ready");
    expect(await store().ok(["stop", "-s", "USR1", "-t", "0", "talker"])).toBe("talker");
    expect(await store().ok(["inspect", "-f", "{{.State.ExitCode}}", "talker"])).toBe("137");
    await store().ok(["start", "talker"]);
    await said("talker", "ready\n");
    expect(await store().ok(["container", "stop", "--time", "0", "--signal", "SIGHUP", "talker"])).toBe("talker");
    expect(await store().ok(["stop", "talker"])).toBe("talker");
    await store().ok(["rm", "talker"]);
  });

  testWith(root, "restart starts what runs anew, and what does not", async () => {
    await store().ok(["run", "-d", "--name", "again", "busybox", "sh", "-c", "echo begun; exec sleep 1000"]);
    await said("again", "begun");
    expect(await store().ok(["restart", "-t", "0", "again"])).toBe("again");
    await said("again", "begun\nbegun");
    await store().ok(["stop", "-t", "0", "again"]);
    expect(await store().ok(["container", "restart", "--signal", "KILL", "again"])).toBe("again");
    expect(await states("again")).toBe("running");
    await store().ok(["rm", "-f", "again"]);
  });

  testWith(root, "kill sends KILL, or the signal by name or number", async () => {
    await store().ok(["run", "-d", "--name", "target", "busybox", "sh", "-c", talker]);
    await said("target", "ready");
    for (const [signal, text] of [
      ["HUP", "got HUP"],
      ["SIGUSR1", "got USR1"],
      ["15", "got TERM"],
    ] as const) {
      expect(await store().ok(["kill", "--signal", signal, "target"])).toBe("target");
      await said("target", text);
    }
    await fails(["kill", "-s", "NOSUCH", "target"], "NOSUCH");
    expect(await store().ok(["container", "kill", "target"])).toBe("target");
    expect(await store().ok(["wait", "target"])).toBe("137");
    await fails(["kill", "target"], "is not running");
    await store().ok(["rm", "target"]);
  });

  testWith(root, "of several containers, those that can be", async () => {
    await store().ok(["run", "-d", "--name", "first", ...sleeper]);
    await store().ok(["run", "-d", "--name", "second", ...sleeper]);
    for (const command of [["stop", "-t", "0"], ["restart", "-t", "0"], ["kill"]]) {
      const { status, stdout, stderr } = await store().galley([...command, "first", "nosuch", "second"]);
      expect({ status, names: stdout.split("\n").sort(), stderr }).toEqual({
        status: 1,
        names: ["", "first", "second"],
        stderr: "galley: No such container: nosuch\n",
      });
    }
    await store().ok(["rm", "-f", "first", "second"]);
  });
});

describe("pause, wait, rename, rm", () => {
  testWith(root, "pause and unpause, and what a paused container refuses", async () => {
    await store().ok(["run", "-d", "--name", "frozen", ...sleeper]);
    expect(await store().ok(["pause", "frozen"])).toBe("frozen");
    expect(await states("frozen")).toBe("paused");
    await fails(["pause", "frozen"], "already paused");
    await fails(["start", "frozen"], "cannot start a paused container, try unpause instead");
    await fails(["exec", "frozen", "true"], "is paused, unpause the container before exec");
    await fails(["rm", "frozen"], "frozen");
    expect(await store().ok(["container", "unpause", "frozen"])).toBe("frozen");
    await fails(["unpause", "frozen"], "is not paused");
    expect(await store().ok(["container", "pause", "frozen"])).toBe("frozen");
    expect(await store().ok(["stop", "-t", "0", "frozen"])).toBe("frozen");
    await store().ok(["rm", "frozen"]);
  });

  testWith(root, "wait prints each status in turn", async () => {
    await store().ok(["run", "-d", "--name", "slow", "busybox", "sh", "-c", "sleep 0.2; exit 6"]);
    await store().ok(["run", "-d", "--name", "quick", "busybox", "sh", "-c", "exit 7"]);
    const result = await store().galley(["container", "wait", "slow", "nosuch", "quick"]);
    expect(result).toEqual({ status: 1, stdout: "6\n7\n", stderr: "galley: No such container: nosuch\n" });
    await store().ok(["rm", "slow", "quick"]);
  });

  testWith(root, "rename: the old name is free", async () => {
    const id = await store().ok(["create", "--name", "old", "busybox"]);
    await store().ok(["create", "--name", "taken", "busybox"]);
    expect(await store().ok(["rename", "old", "new"])).toBe("");
    expect(await store().ok(["inspect", "-f", "{{.Name}}", id])).toBe("/new");
    await fails(["rename", "new", "taken"], 'The container name "/taken" is already in use');
    await fails(["rename", "old", "other"], "No such container: old");
    await fails(["container", "rename", "new", "bad name"], "Invalid container name (bad name)");
    await store().ok(["rm", "new", "taken"]);
  });

  testWith(
    root,
    "rm: not what runs, unless -f; -v with its anonymous volumes; names, IDs and their beginnings",
    async () => {
      const volumes = () => store().ok(["volume", "ls", "-q"]);
      const id = await store().ok(["run", "-d", "--name", "busy", "-v", "/data", ...sleeper]);
      await fails(["rm", "busy"], "stop the container before");
      expect(await store().ok(["rm", "-f", "-v", id.slice(0, 8)])).toBe(id.slice(0, 8));
      expect(await volumes()).toBe("");
      await store().ok(["create", "--name", "with", "-v", "/data", "busybox"]);
      expect(await store().ok(["container", "remove", "with"])).toBe("with");
      expect((await volumes()).split("\n")).toHaveLength(1);
      await store().ok(["volume", "prune", "-af"]);
      await fails(["rm", "nosuch"], "No such container: nosuch");
      const forced = await store().galley(["rm", "--force", "--volumes", "nosuch"]);
      expect(forced).toEqual({ status: 0, stdout: "", stderr: "galley: No such container: nosuch\n" });
    },
  );
});
