import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MountConfig } from "../../spec/runtime.ts";
import { withEnvironment } from "./environment.ts";

let rootfs = "";
beforeEach(() => {
  rootfs = mkdtempSync(join(tmpdir(), "galley-environment-"));
  mkdirSync(join(rootfs, "etc"));
});
afterEach(() => rmSync(rootfs, { recursive: true, force: true }));

const passwd = (home: string): string => `root:x:0:0::/root:/bin/sh\nsomeone:x:77:0::${home}:/bin/sh\n`;

function environment(env: readonly string[], uid = 77, mounts: readonly MountConfig[] = []): readonly string[] {
  const process = { args: ["sh"], cwd: "/", user: { uid, gid: 0 }, env };
  return withEnvironment(process, { rootfs, mounts }).env ?? [];
}

describe("variables", () => {
  test("of two the last one counts, where it stands; a value may hold anything", () => {
    expect(environment(["A=1", "B=x=y", "A=2", "N=\n", "HOME=/h"])).toEqual(["B=x=y", "A=2", "N=\n", "HOME=/h"]);
  });

  test("an empty HOME is none, also where it overrides another", () => {
    expect(environment(["HOME=/a", "HOME=", "A=1"])).toEqual(["A=1", "HOME=/"]);
  });
});

describe("HOME", () => {
  test("is the user's in the container's passwd, by number; / for who is not there", () => {
    writeFileSync(join(rootfs, "etc/passwd"), passwd("/home/someone"));
    expect(environment([])).toEqual(["HOME=/home/someone"]);
    expect(environment([], 0)).toEqual(["HOME=/root"]);
    expect(environment([], 4711)).toEqual(["HOME=/"]);
  });

  test("is that of the file which is bound over it, or over its directory", () => {
    writeFileSync(join(rootfs, "etc/passwd"), passwd("/inner"));
    writeFileSync(join(rootfs, "passwd"), passwd("/outer"));
    const options = ["bind", "ro"];
    const file = { destination: "/etc/passwd", source: join(rootfs, "passwd"), options };
    expect(environment([], 77, [file])).toEqual(["HOME=/outer"]);
    expect(environment([], 77, [file, { destination: "/etc", source: rootfs, options: ["rbind"] }])).toEqual([
      "HOME=/outer",
    ]);
    expect(environment([], 77, [{ ...file, type: "bind", options: [] }])).toEqual(["HOME=/outer"]);
    expect(environment([], 77, [{ destination: "/etc", type: "tmpfs", source: "tmpfs" }])).toEqual(["HOME=/"]);
  });

  test("no trick of the image holds up or fills the runtime: a FIFO, a link out, a device, a file of terabytes", () => {
    const file = join(rootfs, "etc/passwd");
    for (const make of [
      () => Bun.spawnSync(["mkfifo", file]),
      () => symlinkSync("/dev/zero", file),
      () => symlinkSync("../../../../../../../../etc/passwd", file),
      () => mkdirSync(file),
      () => {
        writeFileSync(file, "");
        truncateSync(file, 2 ** 40);
      },
    ]) {
      make();
      expect(environment([], 0)).toEqual(["HOME=/"]);
      rmSync(file, { recursive: true });
    }
  });
});
