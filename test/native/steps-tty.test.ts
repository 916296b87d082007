import { expect } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { encode } from "../../src/recipe/encode.ts";
import { testWith } from "../harness/requirements.ts";
import { E, inNamespaces, native, O, op, run, Scratch, shell } from "./program.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);

root("a terminal is opened in a root's own devpts, sized, and becomes the controlling one", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("dev/pts"), { recursive: true });
  const { report } = await inNamespaces(
    0,
    [
      op("setsid", []),
      op("mount", ["devpts", folder.at("dev/pts"), "devpts", 0, "newinstance,ptmxmode=0666"]),
      op("openat", ["cwd", folder.path, O.path, 0], { out: "root" }),
      op("open_ptmx", ["root", "dev/pts/ptmx"], { out: "master" }),
      op("pty_peer", ["master"], { out: "tty" }),
      op("verify", ["tty", 3]),
      op("set_window_size", ["master", 33, 111]),
      op("set_controlling_tty", ["tty"]),
      op("openat", ["cwd", folder.at("out"), O.wronly | O.creat, 0o600], { out: "file" }),
      // The program holds the master itself, or the terminal would hang up.
      op("set_stdio", ["tty", "file", "master"]),
    ],
    "stty size; echo there > /dev/tty; head -c 7 <&2",
  );
  expect(report.failure).toBeUndefined();
  while (!readFileSync(folder.at("out"), "utf8").includes("there")) await Bun.sleep(1);
  expect(readFileSync(folder.at("out"), "utf8")).toBe("33 111\nthere\r\n");
});

root("what is not devpts' ptmx is refused", async () => {
  using folder = new Scratch();
  writeFileSync(folder.at("file"), "");
  symlinkSync("/null", folder.at("link"));
  const open = async (path: string) =>
    (
      await run({
        outside: [
          op("mknodat", ["cwd", folder.at("null"), 0o020666, 0x103], { tolerate: [E.EXIST] }),
          op("openat", ["cwd", folder.path, O.path, 0], { out: "root" }),
          op("open_ptmx", ["root", path], { out: "master" }),
        ],
      })
    ).report.failure;
  expect(await open("file")).toEqual({ section: "outside", step: 2, errno: E.NODEV });
  expect(await open("link")).toMatchObject({ errno: E.NODEV });
  expect(await open("null")).toMatchObject({ errno: E.NODEV });
  expect(await open("missing")).toMatchObject({ errno: E.NOENT });
});

root("standard streams that are nothing are the real null device of the root", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("dev"));
  const set = (type: number) =>
    run({
      outside: [
        op("mknodat", ["cwd", folder.at("dev/null"), type | 0o666, 0x103]),
        op("chroot", [folder.path]),
        op("set_stdio", ["none", "none", "none"]),
      ],
      cleanup: [op("unlinkat", ["cwd", "/dev/null", 0])],
    });
  const FIFO = 0o010000;
  const CHARACTER = 0o020000;
  expect((await set(FIFO)).report.failure).toEqual({ section: "outside", step: 2, errno: E.NODEV });
  expect((await set(CHARACTER)).report.failure).toBeUndefined();
});

root("a console is sent to a socket, however long its path is", async () => {
  using folder = new Scratch();
  const long = folder.at("d".repeat(100), "e".repeat(100));
  mkdirSync(long, { recursive: true });
  for (const path of [folder.at("short"), `${long}/console`]) {
    const received = Promise.withResolvers<string>();
    const server = createServer((socket) => socket.on("data", (bytes) => received.resolve(bytes.toString())));
    // A path of more than 107 bytes is reached through its directory.
    await new Promise<void>((resolve) => server.listen(folder.at("listener"), resolve));
    Bun.spawnSync(["mv", folder.at("listener"), path]);
    const { report } = await run({
      outside: [op("openat", ["cwd", "/dev/null", O.rdwr, 0], { out: "tty" }), op("send_console", [path, "tty"])],
    });
    expect(report.failure).toBeUndefined();
    expect(await received.promise).toBe("/dev/ptmx");
    server.close();
  }
  expect(
    (
      await run({
        outside: [
          op("openat", ["cwd", "/dev/null", 0, 0], { out: "tty" }),
          op("send_console", [folder.at("no"), "tty"]),
        ],
      })
    ).report.failure,
  ).toMatchObject({ step: 1, errno: E.NOENT });
});

root("descriptors that are closed when the program starts are never mistaken for streams", async () => {
  using folder = new Scratch();
  writeFileSync(
    folder.at("recipe"),
    encode({
      sections: {
        outside: [op("openat", ["cwd", "/", O.directory, 0], { out: "a" }), op("clone", [0, "none", 1])],
        inside: [op("fchdir", ["a"]), shell(`ls /proc/self/fd > ${folder.at("out")}`)],
      },
    }),
  );
  const closed = Bun.spawnSync(["sh", "-c", '"$0" run "$1" <&- >&- 2>&-', native(), folder.at("recipe")]);
  expect(closed.exitCode).toBe(0);
  while (Bun.file(folder.at("out")).size === 0) await Bun.sleep(1);
  expect(await Bun.file(folder.at("out")).text()).toBe("0\n1\n2\n3\n");
});
