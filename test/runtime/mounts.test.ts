import { describe, expect } from "bun:test";
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../harness/requirements.ts";
import { Scratch } from "../native/program.ts";
import { Box, type BoxOptions, needs } from "./box.ts";

const it = (name: string, body: () => Promise<void>): void => testWith(needs, name, body);
const hostMounts = (): string => readFileSync("/proc/self/mountinfo", "utf8");

describe("mounts", () => {
  it("tmpcopyup begins with what the image has", async () => {
    await using box = new Box("cat /etc/passwd; touch /etc/x && ls /etc", {
      mounts: [{ destination: "/etc", type: "tmpfs", options: ["tmpcopyup", "mode=755"] }],
    });
    expect((await box.run()).out).toBe("root:x:0:0::/:/bin/sh\npasswd\nx\n");
  });

  it("tmpcopyup keeps the mode that its mount names, and otherwise the directory's", async () => {
    const tmpfs = (destination: string, ...options: string[]) => ({ destination, type: "tmpfs", options });
    await using box = new Box("stat -c '%a %n' /etc /tmp /made /named", {
      mounts: [
        tmpfs("/etc", "tmpcopyup", "mode=1750"),
        tmpfs("/tmp", "tmpcopyup"),
        tmpfs("/made", "tmpcopyup"),
        tmpfs("/named", "tmpcopyup", "mode=700"),
      ],
      image: (folder) => {
        mkdirSync(join(folder, "tmp"));
        chmodSync(join(folder, "tmp"), 0o1711);
      },
    });
    expect((await box.run()).out).toBe("1750 /etc\n1711 /tmp\n1777 /made\n700 /named\n");
  });

  it("a read-only tmpfs holds the mounts below it, and nothing else", async () => {
    await using box = new Box("ls /ro; touch /ro/y; touch /ro/in/x && echo in", {
      mounts: [
        { destination: "/ro", type: "tmpfs", options: ["ro"] },
        { destination: "/ro/in", type: "tmpfs" },
      ],
    });
    const { out, err } = await box.run();
    expect(out).toBe("in\nin\n");
    expect(err).toContain("Read-only file system");
  });

  it("a bind is recursive or not, and so is its being read-only", async () => {
    using volume = new SharedMount();
    mkdirSync(volume.at("below"));
    Bun.spawnSync(["mount", "-t", "tmpfs", "below", volume.at("below")]);
    writeFileSync(volume.at("below/file"), "");
    const bind = (destination: string, ...options: string[]) => ({
      destination,
      type: "bind",
      source: volume.path,
      options,
    });
    await using box = new Box(
      "touch /all/below/x && echo 1; touch /top/x; ls /one/below; touch /none/x; touch /none/below/x",
      {
        mounts: [
          bind("/all", "rbind"),
          bind("/top", "rbind", "ro"),
          bind("/one", "bind"),
          bind("/none", "rbind", "rro"),
        ],
      },
    );
    const { out, err } = await box.run();
    expect(out).toBe("1\n");
    expect(err).toContain("/top/x: Read-only");
    expect(err).toContain("/none/below/x: Read-only");
  });
});

/** A shared tmpfs of the host, unmounted with all below it at the end. */
class SharedMount extends Scratch {
  constructor() {
    super();
    Bun.spawnSync(["mount", "-t", "tmpfs", "galley-test", this.path]);
    Bun.spawnSync(["mount", "--make-shared", this.path]);
  }

  /** Whether the host sees something mounted on a name in it. */
  shows(name: string): boolean {
    return hostMounts().includes(` ${this.at(name)} `);
  }

  override [Symbol.dispose](): void {
    Bun.spawnSync(["umount", "-R", "-l", this.path]);
    super[Symbol.dispose]();
  }
}

describe("propagation", () => {
  /** A container that may mount, with the shared mount as its volume. */
  const mounting = (
    volume: SharedMount,
    script: string,
    propagation: string,
    options: BoxOptions["linux"] = {},
  ): Box => {
    const caps = ["CAP_SYS_ADMIN"];
    const mounts = [{ destination: "/vol", type: "bind", source: volume.path, options: ["rbind", propagation] }];
    const { seccomp: _, ...linux } = { seccomp: undefined, ...options };
    return new Box(script, {
      mounts,
      process: { capabilities: { bounding: caps, effective: caps, permitted: caps } },
      linux: { ...linux, seccomp: { defaultAction: "SCMP_ACT_ALLOW" } },
    });
  };
  const mountInside = "mkdir -p /vol/x; mount -t tmpfs inner /vol/x && echo mounted; sleep 1000";

  for (const [root, bind, reaches] of [
    ["", "rprivate", false],
    ["rslave", "rslave", false],
    ["rprivate", "rprivate", false],
    ["shared", "rshared", true],
    ["rshared", "rshared", true],
    ["shared", "rprivate", false],
  ] as const) {
    it(`a container's mount ${reaches ? "reaches" : "does not reach"} the host: root ${root || "default"}, bind ${bind}`, async () => {
      using volume = new SharedMount();
      const before = hostMounts();
      await using box = mounting(volume, mountInside, bind, root === "" ? {} : { rootfsPropagation: root });
      await box.start();
      await box.said("mounted");
      expect(volume.shows("x")).toBe(reaches);
      if (!reaches) expect(hostMounts()).toBe(before);
      process.kill(box.pid, 9);
      await box.ended();
      Bun.spawnSync(["umount", volume.at("x")], { stderr: "ignore" });
      expect(hostMounts()).toBe(before);
      expect(box.leftovers()).toEqual([]);
    });
  }

  it("the host's mount reaches a slave, and no private one", async () => {
    for (const [bind, reaches] of [
      ["rslave", true],
      ["rprivate", false],
    ] as const) {
      using volume = new SharedMount();
      mkdirSync(volume.at("x"));
      await using box = mounting(volume, "echo up; sleep 1000", bind);
      await box.start();
      await box.said("up");
      Bun.spawnSync(["mount", "-t", "tmpfs", "from-host", volume.at("x")]);
      expect(readFileSync(`/proc/${box.pid}/mounts`, "utf8").includes("from-host /vol/x")).toBe(reaches);
    }
  });
});

describe("a user namespace", () => {
  it("maps IDs; its root may not touch what is the host's", async () => {
    const mapping = { containerID: 0, hostID: 100_000, size: 65_536 };
    const namespaces = (["user", "pid", "network", "ipc", "uts", "mount"] as const).map((type) => ({ type }));
    using secret = new Scratch();
    writeFileSync(secret.at("file"), "secret", { mode: 0o600 });
    const mounts = [{ destination: "/secret", type: "bind", source: secret.path, options: ["rbind"] }];
    await using box = new Box(
      "id -u; cat /proc/self/uid_map; echo x >/dev/null && echo null; echo out >/dev/stdout; cat /secret/file",
      {
        mounts,
        linux: { namespaces, uidMappings: [mapping], gidMappings: [mapping] },
      },
    );
    chmodSync(box.folder.path, 0o755);
    for (const name of ["upper", "work"]) chownSync(box.folder.at(name), mapping.hostID, mapping.hostID);
    const { out, err } = await box.run();
    expect(out.split("\n").map((line) => line.trim().replace(/ +/g, " "))).toEqual([
      "0",
      "0 100000 65536",
      "null",
      "out",
      "",
    ]);
    expect(err).toContain("Permission denied");
    expect(box.leftovers()).toEqual([]);
  });
});
