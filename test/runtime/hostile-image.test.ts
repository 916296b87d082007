/** Images that try to lead the runtime out of the root, or to have it use what is theirs for what is the kernel's. */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { Scratch } from "../native/program.ts";
import { Box, HostProgram, needs } from "./box.ts";

const it = (name: string, body: () => Promise<void>): void => testWith(needs, name, body);

/** A directory of the host that must stay as it is, with a file in it. */
class Victim extends Scratch {
  constructor() {
    super();
    writeFileSync(this.at("file"), "untouched");
  }

  isUntouched(): boolean {
    return readdirSync(this.path).join() === "file" && readFileSync(this.at("file"), "utf8") === "untouched";
  }
}

describe("an image whose directory is a link", () => {
  for (const name of ["proc", "sys"]) {
    it(`/${name}: refused, as the paths to be masked would lead elsewhere`, async () => {
      using victim = new Victim();
      await using box = new Box("true", { image: (folder) => symlinkSync(victim.path, `${folder}/${name}`) });
      expect(await box.tryStart()).toMatchObject({
        op: "openat",
        errno: "ENOTDIR",
        cause: expect.stringContaining(`on /${name})`),
      });
      expect(victim.isUntouched()).toBe(true);
      expect(box.leftovers()).toEqual([]);
    });
  }

  it("/dev to a place of the host: the place of that name in the root is used", async () => {
    using victim = new Victim();
    await using box = new Box("ls -l /dev; echo x >/dev/null; readlink /dev/fd", {
      image: (folder) => symlinkSync(victim.path, `${folder}/dev`),
    });
    const { out, code } = await box.run();
    expect(out).toContain("/proc/self/fd");
    expect(code).toBe(0);
    expect(victim.isUntouched()).toBe(true);
    expect(existsSync(`${box.folder.at("upper")}${victim.path}`)).toBe(true);
  });

  it("/etc, absolute and dangling: what is bound below it stays in the root", async () => {
    using victim = new Victim();
    const source = victim.at("file");
    const mounts = [{ destination: "/etc2/hosts", type: "bind", source, options: ["rbind", "ro"] }];
    await using box = new Box("cat /etc2/hosts; readlink /etc2", {
      mounts,
      image: (folder) => symlinkSync("/nowhere/../../../../etc-of-image", `${folder}/etc2`),
    });
    expect((await box.run()).out).toBe("untouched/nowhere/../../../../etc-of-image\n");
    expect(existsSync("/etc-of-image")).toBe(false);
  });

  it("a destination that is a link to the host: nothing is mounted or made there", async () => {
    using victim = new Victim();
    using volume = new Victim();
    const mounts = [{ destination: "/data/deep", type: "bind", source: volume.path, options: ["rbind"] }];
    await using box = new Box("ls /data/deep; cat /data/deep/file", {
      mounts,
      image: (folder) => symlinkSync(`../../../../../../..${victim.path}`, `${folder}/data`),
    });
    expect((await box.run()).out).toBe("file\nuntouched");
    expect(victim.isUntouched()).toBe(true);
  });

  it("a loop of links is an error, and leaves nothing", async () => {
    const mounts = [{ destination: "/a/x", type: "tmpfs" }];
    await using box = new Box("true", { mounts, image: (folder) => symlinkSync("a", `${folder}/a`) });
    expect(await box.tryStart()).toMatchObject({ op: "fsconfig_mode_of", errno: "ELOOP" });
    expect(box.leftovers()).toEqual([]);
  });
});

describe("destinations", () => {
  it("a directory cannot be mounted on a file", async () => {
    const mounts = [{ destination: "/etc/passwd", type: "tmpfs" }];
    await using box = new Box("true", { mounts });
    expect(await box.tryStart()).toMatchObject({ errno: "ENOTDIR", cause: "mounts[6] (tmpfs on /etc/passwd)" });
    expect(box.leftovers()).toEqual([]);
  });

  it("`..` stays in the root", async () => {
    using volume = new Victim();
    const mounts = [{ destination: "/tmp/../../../vol", type: "bind", source: volume.path, options: ["rbind", "ro"] }];
    await using box = new Box("cat /vol/file", { mounts });
    expect((await box.run()).out).toBe("untouched");
  });

  it("a file of the host is bound onto a file that is made for it", async () => {
    using volume = new Victim();
    const mounts = [{ destination: "/new/dir/f", type: "bind", source: volume.at("file"), options: ["bind", "ro"] }];
    await using box = new Box("cat /new/dir/f; echo x >/new/dir/f", { mounts });
    const { out, err } = await box.run();
    expect(out).toBe("untouched");
    expect(err).toContain("Read-only file system");
  });
});

describe("the working directory", () => {
  it("through a descriptor is never one of the host's (CVE-2024-21626)", async () => {
    for (let fd = 3; fd < 16; fd++) {
      await using box = new Box("pwd; cat ../../../../etc/hostname", { process: { cwd: `/proc/self/fd/${fd}` } });
      const refused = await box.tryStart();
      expect(refused?.cause).toBe("process.cwd");
      expect(box.leftovers()).toEqual([]);
    }
  });

  it("that is a link of the image to the root's outside stays inside", async () => {
    await using box = new Box("pwd -P; ls ..", {
      image: (folder) => symlinkSync("../../../../..", `${folder}/way`),
      process: { cwd: "/way" },
    });
    expect((await box.run()).out).toStartWith("/\nbin\n");
  });

  it("that is a file is an error", async () => {
    await using box = new Box("true", { process: { cwd: "/etc/passwd" } });
    expect(await box.tryStart()).toMatchObject({ errno: "ENOTDIR", cause: "process.cwd" });
  });
});

describe("/dev/null", () => {
  const image = (folder: string): void => {
    mkdirSync(`${folder}/dev`);
    writeFileSync(`${folder}/dev/null`, "mine");
  };

  it("of the image is covered by the container's /dev", async () => {
    await using box = new Box("cat /dev/null; stat -c %F /dev/null", { image });
    expect((await box.run()).out).toBe("character special file\n");
  });

  it("that is a file of the image masks nothing and is no standard input (CVE-2025-31133)", async () => {
    const without = ["/dev", "/dev/pts", "/dev/shm"];
    await using box = new Box("true", { image, without });
    expect(await box.tryStart()).toMatchObject({ op: "mask_path", errno: "ENODEV" });
    await using unmasked = new Box("true", { image, without, linux: { maskedPaths: [] } });
    expect(await unmasked.tryStart()).toMatchObject({ op: "set_stdio", errno: "ENODEV" });
    expect([...box.leftovers(), ...unmasked.leftovers()]).toEqual([]);
  });
});

describe("the command", () => {
  it("by a descriptor is never one of the host's", async () => {
    using host = new HostProgram();
    for (let fd = 3; fd < 16; fd++) {
      await using box = new Box([host.from(fd)]);
      expect(await box.tryStart()).toMatchObject({ op: "exec", cause: "process.args" });
      expect(box.leftovers()).toEqual([]);
    }
  });

  it("that is not there, not executable, or a directory", async () => {
    const tried = async (...args: string[]): Promise<string | undefined> => {
      await using box = new Box(args);
      const refused = await box.tryStart();
      expect(box.leftovers()).toEqual([]);
      return refused?.op === "exec" ? refused.errno : undefined;
    };
    expect(await tried("nothing")).toBe("ENOENT");
    expect(await tried("/bin/nothing")).toBe("ENOENT");
    expect(await tried("/etc/passwd")).toBe("EACCES");
    expect(await tried("/tmp")).toBe("EACCES");
    expect(await tried("")).toBe("ENOENT");
  });
});
