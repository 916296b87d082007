import { describe, expect } from "bun:test";
import { chmodSync, copyFileSync } from "node:fs";
import { defaultCapabilities } from "../../src/linux/capabilities.ts";
import { defaultSeccomp } from "../../src/linux/seccomp/default-filter.ts";
import { testWith } from "../harness/requirements.ts";
import { Box, needs } from "./box.ts";

const it = (name: string, body: () => Promise<void>): void => testWith(needs, name, body);
const STATUS = "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status";

/** The lines of /proc/PID/status by their names. */
function fields(out: string): Record<string, string> {
  return Object.fromEntries(out.split("\n").flatMap((line) => (line.includes(":") ? [line.split(/:\s+/, 2)] : [])));
}

describe("capabilities", () => {
  it("the usual ones, for root", async () => {
    await using box = new Box(STATUS);
    expect(fields((await box.run()).out)).toEqual({
      CapInh: "0000000000000000",
      CapPrm: "00000000a80425fb",
      CapEff: "00000000a80425fb",
      CapBnd: "00000000a80425fb",
      CapAmb: "0000000000000000",
      NoNewPrivs: "0",
      Seccomp: "2",
    });
  });

  it("each of the five sets as it was asked for, kept by a user who is not root", async () => {
    const [chown, kill, net] = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
    const capabilities = {
      bounding: [chown, kill, net],
      permitted: [chown, kill],
      effective: [chown],
      inheritable: [kill],
      ambient: [kill],
    };
    await using box = new Box(STATUS, { process: { capabilities, user: { uid: 9, gid: 9 } } });
    expect(fields((await box.run()).out)).toMatchObject({
      CapInh: "0000000000000020",
      CapPrm: "0000000000000020",
      CapEff: "0000000000000020",
      CapBnd: "0000000000000421",
      CapAmb: "0000000000000020",
    });
  });

  it("a user who is not root has none of those that are not ambient", async () => {
    await using box = new Box(STATUS, { process: { user: { uid: 9, gid: 9 } } });
    const { CapEff, CapPrm, CapBnd } = fields((await box.run()).out);
    expect([CapEff, CapPrm, CapBnd]).toEqual(["0000000000000000", "0000000000000000", "00000000a80425fb"]);
  });

  it("none where none are given", async () => {
    await using box = new Box(`${STATUS}; chown 1 /tmp`, { process: { capabilities: {} } });
    const { out, err } = await box.run();
    expect(fields(out).CapBnd).toBe("0000000000000000");
    expect(err).toContain("Operation not permitted");
  });
});

describe("no_new_privs", () => {
  const process = { noNewPrivileges: true, user: { uid: 9, gid: 9 } };

  it("holds, with the filter loaded last", async () => {
    await using box = new Box(STATUS, { process });
    expect(fields((await box.run()).out)).toMatchObject({ NoNewPrivs: "1", Seccomp: "2" });
  });

  it("takes set-user-ID away", async () => {
    const image = (folder: string): void => {
      copyFileSync("/bin/busybox", `${folder}/env`);
      chmodSync(`${folder}/env`, 0o4755);
    };
    await using box = new Box("/env grep -E '^Uid' /proc/self/status; /env id -u", { process, image });
    expect((await box.run()).out).not.toContain("0\n");
  });
});

describe("the default filter", () => {
  testWith({ ...needs, commands: ["cc"] }, "denies AF_ALG, AF_VSOCK, keys, new namespaces and mounts", async () => {
    const calls = [
      "socket(AF_INET, SOCK_STREAM, 0)",
      "socket(38, SOCK_SEQPACKET, 0)",
      "socket(40, SOCK_STREAM, 0)",
      "unshare(CLONE_NEWUSER)",
      "mount(0, 0, 0, 0, 0)",
      "syscall(SYS_clone3, 0, 0)",
      "syscall(SYS_keyctl, 0, -3, 0)",
      "syscall(SYS_bpf, 0, 0, 0)",
      "syscall(SYS_io_uring_setup, 1, 0)",
    ];
    await using box = new Box(["/probe"], { image: (folder) => compileProbe(`${folder}/probe`, calls) });
    const results = (await box.run()).out.trim().split("\n").map(Number);
    const [EPERM, ENOSYS] = [1, 38];
    expect(results).toEqual([0, EPERM, EPERM, EPERM, EPERM, ENOSYS, EPERM, EPERM, EPERM]);
  });

  it("for other capabilities than the usual ones allows what goes with them", async () => {
    const caps = [...defaultCapabilities, "CAP_SYS_ADMIN"];
    await using box = new Box("mount -t tmpfs x /tmp && grep -c ' /tmp tmpfs' /proc/mounts", {
      process: { capabilities: { bounding: caps, effective: caps, permitted: caps } },
      linux: { seccomp: defaultSeccomp({ capabilities: caps }) },
    });
    expect((await box.run()).out).toBe("1\n");
  });
});

/** A program that makes the calls and prints the error number of each, 0 for success. */
function compileProbe(path: string, calls: readonly string[]): void {
  const source = `#define _GNU_SOURCE
    #include <errno.h>
    #include <sched.h>
    #include <stdio.h>
    #include <sys/mount.h>
    #include <sys/socket.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int main(void) {
      ${calls.map((call) => `printf("%d\\n", ${call} < 0 ? errno : 0);`).join("\n")}
      return 0;
    }`;
  const options = ["-static", "-x", "c", "-o", path, "-"];
  const { exitCode, stderr } = Bun.spawnSync(["cc", ...options], { stdin: Buffer.from(source) });
  if (exitCode !== 0) throw new Error(stderr.toString());
}
