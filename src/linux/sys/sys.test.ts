import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toGalleyError } from "../../errors.ts";
import * as sys from "./sys.ts";

// A machine that does much else at the same time takes longer than the five seconds that are the default.
setDefaultTimeout(60_000);

let directory: string;
let fd: number;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "galley-sys-"));
  fd = sys.openat(sys.AT_FDCWD, directory, sys.O.RDONLY | sys.O.DIRECTORY);
});
afterAll(() => {
  sys.close(fd);
  rmSync(directory, { recursive: true });
});

function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (failure) {
    return failure;
  }
  throw new Error("it did not fail");
}

describe("failures", () => {
  test("name the call, the path and the reason", () => {
    const failure = failureOf(() => sys.openat(fd, "missing/file", sys.O.RDONLY));
    expect(failure).toMatchObject({ code: "ENOENT", errno: -2, syscall: "openat", path: "missing/file" });
    expect(String(failure)).toBe("SystemError: ENOENT: No such file or directory, openat 'missing/file'");
    expect(toGalleyError(failure).code).toBe("not_found");
  });

  test("of calls made by number name their path too", () => {
    expect(failureOf(() => sys.openInRoot(fd, "gone", sys.O.RDONLY))).toMatchObject({ code: "ENOENT", path: "gone" });
  });

  test("are those of the call that failed, whatever ran before", () => {
    for (let i = 0; i < 5000; i++) {
      expect(sys.tryLstatat(fd, "missing")).toBeUndefined();
      expect((failureOf(() => sys.fstat(-5)) as sys.SystemError).code).toBe("EBADF");
    }
  });

  test("a path too long is refused before the kernel sees it cut", () => {
    expect(failureOf(() => sys.openInRoot(fd, "x/".repeat(2048), 0))).toMatchObject({ code: "ENAMETOOLONG" });
  });
});

describe("openInRoot", () => {
  test("keeps links and dots below the root", () => {
    mkdirSync(join(directory, "etc"));
    writeFileSync(join(directory, "etc/here"), "inside");
    symlinkSync("/etc/here", join(directory, "absolute"));
    symlinkSync("../../../../etc/here", join(directory, "dots"));
    for (const path of ["absolute", "dots", "/etc/here", "../../etc/here"]) {
      sys.withFd(sys.openInRoot(fd, path, sys.O.RDONLY), (file) => expect(readFileSync(file, "utf8")).toBe("inside"));
    }
  });

  test("refuses procfs links that lead elsewhere", () => {
    const proc = sys.openat(sys.AT_FDCWD, "/proc/self", sys.O.PATH);
    expect(failureOf(() => sys.openInRoot(proc, "root/etc", sys.O.PATH))).toMatchObject({ code: "ELOOP" });
    sys.close(proc);
  });
});

describe("names and status", () => {
  test("files, links, directories and their removal", () => {
    sys.mkdirat(fd, "d", 0o755);
    sys.symlinkat("target", fd, "d/l");
    expect(sys.readlinkat(fd, "d/l")).toBe("target");
    expect(sys.lstatat(fd, "d/l").type).toBe("symlink");
    sys.renameat2(fd, "d/l", fd, "d/m", sys.RENAME.NOREPLACE);
    expect(failureOf(() => sys.renameat2(fd, "d", fd, "etc", sys.RENAME.NOREPLACE))).toMatchObject({ code: "EEXIST" });
    sys.unlinkat(fd, "d/m");
    sys.rmdirat(fd, "d");
    expect(sys.tryLstatat(fd, "d")).toBeUndefined();
  });

  test("a name that is no UTF-8 is made and listed as its own bytes", () => {
    const name = sys.decodeName(Uint8Array.of(0x63, 0xe9));
    sys.symlinkat(name, fd, name);
    expect(sys.readDirectory(fd)).toContainEqual({ name, type: "symlink" });
    expect([...readlinkSync(Buffer.concat([Buffer.from(`${directory}/`), sys.encodeName(name)]), "buffer")]).toEqual([
      0x63, 0xe9,
    ]);
    sys.unlinkat(fd, name);
  });

  test("status agrees with Node's, to the nanosecond", () => {
    const path = join(directory, "f");
    writeFileSync(path, "12345", { mode: 0o640 });
    const file = sys.openat(fd, "f", sys.O.RDWR);
    sys.futimens(file, { seconds: -5, nanoseconds: 7 }, { seconds: 2 ** 33, nanoseconds: 999_999_999 });
    const status = sys.fstat(file);
    const expected = lstatSync(path, { bigint: true });
    expect(status).toMatchObject({ type: "file", mode: 0o640, size: 5, nlink: 1, inode: expected.ino });
    expect(status.device).toBe(Number(expected.dev));
    expect(status.accessed).toEqual({ seconds: -5, nanoseconds: 7 });
    expect(status.modified).toEqual({ seconds: 2 ** 33, nanoseconds: 999_999_999 });
    expect(status.blocks).toBe(Number(expected.blocks));
    sys.close(file);
  });

  test("device numbers round-trip over their 12 and 20 bits", () => {
    for (const [major, minor] of [
      [0, 0],
      [1, 3],
      [8, 256],
      [4095, 1048575],
    ] as const) {
      expect(sys.splitDevice(sys.makeDevice(major, minor) as number)).toEqual({ major, minor });
    }
    expect(sys.makeDevice(4096, 0)).toBeUndefined();
    expect(sys.makeDevice(1, 1 << 20)).toBeUndefined();
    expect(sys.fstat(sys.openat(sys.AT_FDCWD, "/dev/null", sys.O.PATH)).rdev).toBe(sys.makeDevice(1, 3) as number);
  });

  test("a directory of many entries is listed whole, twice", () => {
    sys.mkdirat(fd, "many", 0o755);
    for (let i = 0; i < 3000; i++) sys.symlinkat("x", fd, `many/a-name-of-some-length-${i}`);
    sys.withFd(sys.openat(fd, "many", sys.O.RDONLY), (many) => {
      for (const _ of [1, 2]) expect(new Set(sys.readDirectory(many).map((entry) => entry.name)).size).toBe(3000);
    });
  });
});

describe("content and locks", () => {
  test("holes are made and found", () => {
    sys.withFd(sys.openat(fd, "sparse", sys.O.RDWR | sys.O.CREAT, 0o600), (file) => {
      sys.ftruncate(file, 8 << 20);
      sys.pwriteAll(file, Buffer.from("end"), (4 << 20) + 1);
      expect(sys.seek(file, 0, sys.SEEK.DATA)).toBe(4 << 20);
      expect(sys.seek(file, (4 << 20) + 8192, sys.SEEK.DATA)).toBeUndefined();
      const back = new Uint8Array(3);
      expect(sys.pread(file, back, (4 << 20) + 1)).toBe(3);
      expect(Buffer.from(back).toString()).toBe("end");
    });
  });

  test("a lock keeps others out until it is given back", async () => {
    const path = join(directory, "lock");
    const first = await sys.lockFile(path, "exclusive");
    expect(sys.tryLockFile(path, "shared")).toBeUndefined();
    const second = sys.lockFile(path, "exclusive");
    first.release();
    (await second).release();
    using both = sys.tryLockFile(path, "shared");
    using again = sys.tryLockFile(path, "shared");
    expect([both, again]).not.toContain(undefined);
  });

  test("waiting for a lock ends when it is called off", async () => {
    using _held = await sys.lockFile(join(directory, "lock"), "exclusive");
    const controller = new AbortController();
    const waiting = sys.lockFile(join(directory, "lock"), "exclusive", controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow("abort");
  });
});

describe("processes", () => {
  test("a pidfd names one process for ever", async () => {
    const child = Bun.spawn(["/bin/cat"], { stdin: "pipe" });
    const pidfd = sys.pidfdOpen(child.pid) as number;
    expect(sys.pidfdSendSignal(pidfd, 0)).toBe(true);
    expect(sys.pidfdSendSignal(pidfd, 9)).toBe(true);
    await child.exited;
    expect(sys.pidfdSendSignal(pidfd, 0)).toBe(false);
    expect(sys.pidfdOpen(child.pid)).toBeUndefined();
    expect(sys.kill(child.pid, 0)).toBe(false);
    sys.close(pidfd);
  });
});
