import { describe, expect } from "bun:test";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { Box, HostProgram, needs } from "./box.ts";

const it = (name: string, body: () => Promise<void>): void => testWith(needs, name, body);
const waits = "echo up; sleep 1000";

async function running(box: Box): Promise<Box> {
  await box.start();
  await box.said("up");
  return box;
}

describe("exec", () => {
  it("joins everything: namespaces, root, cgroups, limits of what it may do", async () => {
    await using box = await running(new Box(waits));
    const script =
      "for n in pid net ipc uts mnt cgroup user; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup; grep -E '^(CapEff|Seccomp:)' /proc/self/status; hostname; ls /proc/1/exe";
    const ended = await box.exec(script);
    if (!("out" in ended)) throw new Error(ended.cause);
    const namespaces = ["pid", "net", "ipc", "uts", "mnt", "cgroup", "user"];
    const own = namespaces.map((name) => readlinkSync(`/proc/${box.pid}/ns/${name}`));
    const cgroups = readFileSync(`/proc/${box.pid}/cgroup`, "utf8").trim().split("\n");
    const rest = ["CapEff:\t00000000a80425fb", "Seccomp:\t2", "box", "/proc/1/exe", ""];
    expect(ended.out.split("\n")).toEqual([...own, ...cgroups, ...rest]);
    expect(ended.code).toBe(0);
  });

  it("has a user, directory and environment of its own, and its own status", async () => {
    await using box = await running(new Box(waits));
    const ended = await box.exec("id -u; pwd; echo $A; exit 9", {
      user: { uid: 12, gid: 13 },
      cwd: "/tmp",
      env: ["PATH=/bin", "A=b c"],
    });
    expect(ended).toEqual({ code: 9, out: "12\n/tmp\nb c\n", err: "" });
    expect(box.status().state).toBe("running");
  });

  it("says which step failed: no such command, no permission, a directory, no such working directory", async () => {
    await using box = await running(new Box(waits));
    expect(await box.exec(["nothing"])).toEqual({ op: "exec", errno: "ENOENT", cause: "process.args" });
    expect(await box.exec(["/etc/passwd"])).toEqual({ op: "exec", errno: "EACCES", cause: "process.args" });
    expect(await box.exec(["/tmp"])).toEqual({ op: "exec", errno: "EACCES", cause: "process.args" });
    expect(await box.exec("true", { cwd: "/nowhere" })).toEqual({
      op: "try_chdir",
      errno: "ENOENT",
      cause: "process.cwd",
    });
    expect(box.status().state).toBe("running");
  });

  it("into a container that has ended is refused, even if its pid is another process's", async () => {
    await using box = new Box("true");
    await box.run();
    expect(await box.exec("true")).toMatchObject({ op: "open_pid", errno: "ESRCH" });
  });

  it("ends with its container", async () => {
    await using box = await running(new Box(waits));
    const exec = box.exec("touch /tmp/begun; sleep 1000");
    while (!existsSync(box.folder.at("upper/tmp/begun"))) await Bun.sleep(1);
    const client = await box.connect();
    await client.kill(9);
    expect(await exec).toMatchObject({ code: 137 });
    await box.ended();
    client.close();
    expect(box.cgroups()).toEqual([]);
  });

  it("no descriptor of ours is a way out of the container", async () => {
    await using box = await running(new Box(waits));
    using host = new HostProgram();
    for (let fd = 3; fd < 20; fd++) {
      expect(await box.exec("cat /proc/1/mounts", { cwd: `/proc/self/fd/${fd}` })).toMatchObject({
        cause: "process.cwd",
      });
      expect(await box.exec([host.from(fd)])).toMatchObject({ op: "exec" });
    }
  });
});

describe("a terminal", () => {
  it("is the container's own, with its size, and controls the session", async () => {
    await using box = new Box("tty; stty size; echo hi >/dev/tty; ls -l /dev/console; ls /dev/pts", {
      process: { terminal: true, consoleSize: { height: 33, width: 99 } },
    });
    const { out } = await box.run();
    const lines = out.split("\r\n");
    expect(lines.slice(0, 3)).toEqual(["/dev/pts/0", "33 99", "hi"]);
    expect(lines[3]).toMatch(/^crw.* 136, +0 .*\/dev\/console$/);
  });

  it("belongs to the user", async () => {
    await using box = new Box("stat -c %u $(tty); echo again >/dev/stdout", {
      process: { terminal: true, user: { uid: 21, gid: 22 } },
    });
    expect((await box.run()).out).toBe("21\r\nagain\r\n");
  });

  it("of an exec is in the container's devpts", async () => {
    await using box = await running(new Box(waits));
    expect(await box.exec("tty", { terminal: true })).toMatchObject({ out: "/dev/pts/0\r\n" });
  });
});
