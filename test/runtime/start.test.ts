import { describe, expect } from "bun:test";
import { readlinkSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { Scratch } from "../native/program.ts";
import { Box, makeBusyboxRoot, needs } from "./box.ts";

const it = (name: string, body: () => Promise<void>): void => testWith(needs, name, body);

describe("a container", () => {
  it("has namespaces of its own, its names, and is the first process", async () => {
    await using box = new Box("echo $$; hostname; readlink /proc/self/ns/net; ip link | grep -c UP; ps; sleep 100");
    await box.start();
    await box.said("sleep 100");
    const [pid, hostname, network] = box.output().out.split("\n");
    expect([pid, hostname]).toEqual(["1", "box"]);
    expect(network).not.toBe(readlinkSync("/proc/self/ns/net"));
    for (const type of ["pid", "net", "ipc", "uts", "mnt"]) {
      expect(readlinkSync(`/proc/${box.pid}/ns/${type}`)).not.toBe(readlinkSync(`/proc/self/ns/${type}`));
    }
    expect(readlinkSync(`/proc/${box.pid}/ns/user`)).toBe(readlinkSync("/proc/self/ns/user"));
  });

  it("sees its mounts alone, by their names, and nothing of the host's", async () => {
    await using box = new Box("cat /proc/mounts; ls /proc/1/root/..");
    const { out } = await box.run();
    const mounts = out.split("\n").filter((line) => line.includes(" rw,") || line.includes(" ro,"));
    expect(mounts[0]).toStartWith("overlay / overlay rw,");
    expect(mounts.some((line) => line.startsWith("proc /proc proc rw,nosuid,nodev,noexec"))).toBe(true);
    expect(mounts.some((line) => line.startsWith("sysfs /sys sysfs ro,"))).toBe(true);
    expect(mounts.some((line) => line.startsWith("cgroup /sys/fs/cgroup tmpfs ro,") || line.includes("cgroup2"))).toBe(
      true,
    );
    expect(mounts.every((line) => !line.includes(" ext4 "))).toBe(true);
  });

  it("reports its exit status, and leaves nothing", async () => {
    await using box = new Box("echo out; echo err >&2; sleep 100 & exit 7");
    expect(await box.run()).toEqual({ code: 7, out: "out\n", err: "err\n" });
    expect(box.leftovers()).toEqual([]);
  });

  it("with an init: the command is its child, zombies are reaped, the status is the command's", async () => {
    await using box = new Box("echo $$; sh -c 'sleep 0.01 & true'; sleep 0.1; ps | grep -c Z; exit 3", {
      input: { init: true },
    });
    const { code, out } = await box.run();
    expect(code).toBe(3);
    expect(out.split("\n")[0]).toBe("2");
  });

  it("has the devices of every container, working, and no others", async () => {
    await using box = new Box(
      "ls /dev; echo x >/dev/null; head -c 4 /dev/zero 2>/dev/null || dd if=/dev/zero bs=4 count=1 2>/dev/null | wc -c; readlink /dev/stdout; stat -c '%a %t:%T' /dev/null /dev/full; mknod /tmp/m b 8 0; dd if=/tmp/m of=/dev/null count=1",
    );
    const { out, err } = await box.run();
    for (const name of ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "fd", "stdin"])
      expect(out).toContain(name);
    expect(out).toContain("/proc/self/fd/1\n");
    expect(out).toContain("666 1:3\n666 1:7\n");
    expect(err).toContain("/tmp/m");
    expect(err).toContain("Operation not permitted");
  });

  it("has masked paths empty and read-only ones read-only", async () => {
    await using box = new Box(
      "cat /proc/keys | wc -c; ls -A /sys/firmware | wc -l; echo 1 >/proc/sys/kernel/domainname; grep -c -E '^proc /proc/(bus|irq|sys) proc ro,' /proc/mounts; echo ok >/sys/firmware/x; mount -o remount,rw /proc/sys",
      { mounts: [] },
    );
    const { out, err } = await box.run();
    expect(out).toBe("0\n0\n3\n");
    expect(err).toContain("/proc/sys/kernel/domainname: Read-only file system");
    expect(err).toContain("/sys/firmware/x: Read-only file system");
    expect(err.toLowerCase()).toContain("permission denied");
  });

  it("has the sysctls and limits it asked for", async () => {
    const sysctl = { "net.ipv4.ip_unprivileged_port_start": "77", "kernel.msgmax": "4096" };
    const rlimits = [
      { type: "RLIMIT_NOFILE", soft: 123, hard: 456 },
      { type: "RLIMIT_CORE", soft: 0, hard: -1 },
    ];
    await using box = new Box(
      "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax; ulimit -Sn; ulimit -Hn; ulimit -Hc; cat /proc/self/oom_score_adj",
      { linux: { sysctl }, process: { rlimits, oomScoreAdj: 321 } },
    );
    expect((await box.run()).out.split("\n")).toEqual(["77", "4096", "123", "456", "unlimited", "321", ""]);
  });

  it("gives standard streams to a user who is not root, who may open them again", async () => {
    await using box = new Box("id -u; id -g; id -G; echo again >/dev/stdout; echo err >/dev/stderr; umask; touch /x", {
      process: { user: { uid: 33, gid: 44, additionalGids: [55, 66], umask: 0o27 } },
    });
    const { out, err } = await box.run();
    expect(out).toBe("33\n44\n44 55 66\nagain\n0027\n");
    expect(err).toContain("err\n");
    expect(err).toContain("Permission denied");
  });

  it("with a read-only root is writable where it has mounts", async () => {
    await using box = new Box("touch /x; touch /dev/shm/y && echo shm; mkdir /made/z", {
      root: { path: "root", readonly: true },
      process: { cwd: "/made" },
    });
    const { out, err } = await box.run();
    expect(out).toBe("shm\n");
    expect(err.match(/Read-only file system/g)).toHaveLength(2);
  });

  it("starts from a directory as its root", async () => {
    using folder = new Scratch();
    const path = makeBusyboxRoot(folder.path);
    await using box = new Box("ls /bin/sh; pwd", {
      input: { root: { kind: "directory", path } },
      process: { cwd: "/tmp" },
    });
    expect((await box.run()).out).toBe("/bin/sh\n/tmp\n");
    expect(box.leftovers()).toEqual([]);
  });
});
