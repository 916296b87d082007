/** exec: further processes in a container, as a person calls them. */
import { beforeAll, describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { missing, testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

beforeAll(async () => {
  if (missing(root) !== undefined) return;
  await store().ok(["run", "-d", "--name", "box", "-e", "OF=container", "-w", "/tmp", "busybox", "sleep", "1000"]);
  writeFileSync(join(store().home, "file.env"), "OF=file\nMORE=1\n");
});

function inside(flags: readonly string[], script: string): Promise<string> {
  return store().ok(["exec", ...flags, "box", "sh", "-c", script]);
}

describe("exec", () => {
  testWith(root, "has the container's environment and directory, and those that it is given", async () => {
    expect(await inside([], "echo $OF; pwd")).toBe("container\n/tmp");
    expect(await inside(["-e", "OF=flag", "--workdir", "/etc"], "echo $OF; pwd")).toBe("flag\n/etc");
    expect(await inside(["--env-file", join(store().home, "file.env"), "--env", "MORE=2"], "echo $OF $MORE")).toBe(
      "file 2",
    );
    expect(await inside(["-w", "/"], "pwd")).toBe("/");
  });

  testWith(root, "runs as the user that it is given", async () => {
    expect(await inside(["-u", "1234:5"], "id -u; id -g")).toBe("1234\n5");
    expect(await inside(["--user", "nobody"], "id -un")).toBe("nobody");
    const result = await store().galley(["exec", "-u", "nosuch", "box", "true"]);
    expect(result.status).toBe(126);
    expect(result.stderr).toContain("unable to find user nosuch");
  });

  testWith(root, "--privileged gives all capabilities", async () => {
    const bits = "grep CapEff /proc/self/status | cut -f2";
    expect(await inside([], bits)).toBe("00000000a80425fb");
    expect(await inside(["--privileged"], bits)).toMatch(/^[0-9a-f]{10,}ffffff$/);
  });

  testWith(root, "keeps the streams apart, takes input with -i, and passes the status on", async () => {
    const script = "cat; echo out; echo err >&2; exit 9";
    const result = await store().galley(["exec", "-i", "box", "sh", "-c", script], { stdin: "in\n" });
    expect(result).toEqual({ status: 9, stdout: "in\nout\n", stderr: "err\n" });
    expect((await store().galley(["exec", "box", "cat"], { stdin: "in\n" })).stdout).toBe("");
    expect((await store().galley(["exec", "--interactive", "box", "sh", "-c", "kill -9 $$"])).status).toBe(137);
  });

  testWith(root, "no such command, not executable, no such directory", async () => {
    expect((await store().galley(["exec", "box", "nosuch"])).status).toBe(127);
    expect((await store().galley(["exec", "box", "/etc/passwd"])).status).toBe(126);
    const nowhere = await store().galley(["exec", "-w", "/no/such", "box", "true"]);
    expect(nowhere.stderr).toContain("/no/such");
    expect([126, 127]).toContain(nowhere.status);
  });

  testWith(root, "-d leaves it to itself", async () => {
    expect(await store().ok(["exec", "-d", "box", "sh", "-c", "echo done > /tmp/detached"])).toBe("");
    const script = "while [ ! -s /tmp/detached ]; do sleep 0.02; done; cat /tmp/detached";
    expect(await inside(["--detach=false"], script)).toBe("done");
  });

  testWith(root, "-t gives a terminal of our size; --detach-keys leave it", async () => {
    const sized = store().terminal(["exec", "-it", "box", "stty", "size"], { rows: 31, columns: 97 });
    expect(await sized.ended()).toBe(0);
    expect(sized.stdout).toContain("31 97");
    const left = store().terminal(["exec", "--interactive", "--tty", "--detach-keys", "ctrl-x", "box", "sh"]);
    await left.waitFor("#");
    left.write("\x18");
    expect(await left.ended()).toBe(1);
    expect(left.stdout).toContain("read escape sequence");
    const { status, stderr } = await store().galley(["exec", "-it", "box", "sh"]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "galley: the input device is not a TTY\n" });
  });

  testWith(root, "not in what does not run or is not there", async () => {
    const id = await store().ok(["create", "--name", "new", "busybox"]);
    const stopped = await store().galley(["exec", "new", "true"]);
    expect({ status: stopped.status, stderr: stopped.stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining(`${id} is not running`),
    });
    const unknown = await store().galley(["container", "exec", "nosuch", "true"]);
    expect(unknown).toEqual({ status: 1, stdout: "", stderr: "galley: No such container: nosuch\n" });
    expect((await store().galley(["exec", "box"])).stderr).toContain("'galley exec' requires at least 2 arguments");
    await store().ok(["rm", "new"]);
  });
});
