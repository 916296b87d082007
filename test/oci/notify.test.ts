/** What a service manager hands to a runtime: a socket to tell readiness to, and sockets to listen on. */
import { expect } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { bindTo, datagramSocket, receiveFrom, sendTo } from "../../src/linux/sys/datagram.ts";
import { close } from "../../src/linux/sys/open.ts";
import { galleyProgram } from "../harness/galley.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

const root = (name: string, body: () => Promise<void>): void =>
  testWith({ root: true, paths: ["/bin/busybox"] }, name, body, 60_000);

/** A manager's socket, with what has come to it. A descriptor that comes along is not taken, and so closed by the kernel. */
class Manager implements Disposable {
  readonly socket = datagramSocket();

  constructor(readonly path: string) {
    bindTo(this.socket, path);
  }

  async next(): Promise<string> {
    for (;;) {
      const bytes = receiveFrom(this.socket, 1000);
      if (bytes !== undefined) return new TextDecoder().decode(bytes);
      await Bun.sleep(5);
    }
  }

  [Symbol.dispose](): void {
    close(this.socket);
  }
}

/** Starts a command of the runtime as a service manager does. */
function serve(bundle: OciBundle, env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  return Bun.spawn([galleyProgram(), "runtime", "--root", bundle.root, ...args], {
    cwd: bundle.path,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", Bun.file(bundle.folder.at("out")), Bun.file(bundle.folder.at("err"))],
  });
}

async function say(path: string, ...lines: readonly string[]): Promise<void> {
  while (!existsSync(path)) await Bun.sleep(5);
  const socket = datagramSocket();
  for (const line of lines) sendTo(socket, path, new TextEncoder().encode(line));
  close(socket);
}

root("a container's readiness is passed on with the pid to watch, and start waits for it", async () => {
  const script = "echo $NOTIFY_SOCKET; test -S $NOTIFY_SOCKET && echo there; exec sleep 1000";
  await using bundle = new OciBundle(script, { root: { path: "rootfs" } });
  using manager = new Manager(bundle.folder.at("manager"));
  const env = { NOTIFY_SOCKET: manager.path };
  expect(await serve(bundle, env, "create", bundle.id).exited).toBe(0);
  const { pid } = JSON.parse(await bundle.ok("state", bundle.id));
  const started = serve(bundle, env, "start", bundle.id);
  await say(`${bundle.root}/${bundle.id}/notify/notify.sock`, "STATUS=soon", "READY=1\nSTATUS=there");
  expect(await manager.next()).toBe("READY=1\n");
  expect(await manager.next()).toBe(`MAINPID=${pid}\n`);
  expect(await manager.next()).toBe("BARRIER=1");
  expect(await started.exited).toBe(0);
  expect(await bundle.status()).toBe("running");
});

root("a container sees the socket, whose end without readiness ends the wait", async () => {
  const script = "echo $NOTIFY_SOCKET; test -S $NOTIFY_SOCKET && echo there; touch $NOTIFY_SOCKET/../x || exit 5";
  await using bundle = new OciBundle(script);
  using manager = new Manager(bundle.folder.at("manager"));
  expect(await serve(bundle, { NOTIFY_SOCKET: manager.path }, "run", bundle.id).exited).toBe(5);
  expect(readFileSync(bundle.folder.at("out"), "utf8")).toBe("/run/notify/notify.sock\nthere\n");
  expect(receiveFrom(manager.socket, 100)).toBeUndefined();
});

root("sockets to listen on are the container's first descriptors, if they are meant for the runtime", async () => {
  await using bundle = new OciBundle('echo "$LISTEN_FDS $LISTEN_PID"; cat <&3; cat <&4; cat <&5 2>&- || echo closed');
  for (const name of ["first", "second", "third"]) writeFileSync(bundle.folder.at(name), `${name}\n`);
  const files = ["first", "second", "third"].map((name, index) => `${index + 3}<${bundle.folder.at(name)}`).join(" ");
  const command = `${galleyProgram()} runtime --root ${bundle.root} run --preserve-fds 1 ${bundle.id} ${files}`;
  const run = (pid: string) =>
    Bun.spawnSync(["sh", "-c", `LISTEN_FDS=1 LISTEN_PID=${pid} exec ${command}`], {
      cwd: bundle.path,
      env: { PATH: process.env.PATH },
    }).stdout.toString();
  expect(run("$$")).toBe("1 1\nfirst\nsecond\nclosed\n");
  expect(run("1")).toBe(" \nfirst\nclosed\n");
});

/** Starts a command of the runtime that a service manager hands `descriptors` to, from 3 on, said to be `count`. */
function activate(bundle: OciBundle, count: string, descriptors: readonly number[], ...args: readonly string[]) {
  rmSync(bundle.folder.at("out"), { force: true });
  const command = `LISTEN_FDS=${count} LISTEN_PID=$$ exec "$@"`;
  return Bun.spawn(["sh", "-c", command, "sh", galleyProgram(), "runtime", "--root", bundle.root, ...args], {
    cwd: bundle.path,
    env: { PATH: process.env.PATH },
    stdio: ["ignore", Bun.file(bundle.folder.at("out")), Bun.file(bundle.folder.at("err")), ...descriptors],
  });
}

root("an abstract socket is handed on too, through create and start, and an exec gets none", async () => {
  await using bundle = new OciBundle('echo "$LISTEN_FDS $LISTEN_PID"; head -c 5 <&3; exec sleep 1000');
  const name = `@galley-test-${bundle.id}`;
  using listener = new Manager(name);
  expect(await activate(bundle, "1", [listener.socket], "create", bundle.id).exited).toBe(0);
  const sender = datagramSocket();
  sendTo(sender, name, new TextEncoder().encode("hello"));
  close(sender);
  await bundle.ok("start", bundle.id);
  while (!readFileSync(bundle.folder.at("out"), "utf8").endsWith("hello")) await Bun.sleep(5);
  expect(readFileSync(bundle.folder.at("out"), "utf8")).toBe("1 1\nhello");
  const look = ["sh", "-c", 'echo "$LISTEN_FDS$LISTEN_PID"; test -e /proc/self/fd/3 || echo none'];
  expect(await activate(bundle, "1", [listener.socket], "exec", bundle.id, ...look).exited).toBe(0);
  expect(readFileSync(bundle.folder.at("out"), "utf8")).toBe("\nnone\n");
});

root("sockets that are not there are refused; what is no number is none", async () => {
  await using bundle = new OciBundle('echo "<$LISTEN_FDS>"');
  expect(await activate(bundle, "1", [], "run", bundle.id).exited).toBe(1);
  expect(readFileSync(bundle.folder.at("err"), "utf8")).toContain("LISTEN_FDS: descriptor 3 of 1 is not open");
  expect(existsSync(`${bundle.root}/${bundle.id}`)).toBe(false);
  for (const count of ["0", "-1", "many"]) {
    expect(await activate(bundle, count, [], "run", bundle.id).exited).toBe(0);
    expect(readFileSync(bundle.folder.at("out"), "utf8")).toBe("<>\n");
  }
});

root("a manager may listen at an abstract socket", async () => {
  await using bundle = new OciBundle("exec sleep 1000");
  const name = `@galley-manager-${bundle.id}`;
  using manager = new Manager(name);
  const started = serve(bundle, { NOTIFY_SOCKET: name }, "run", "-d", bundle.id);
  await say(`${bundle.root}/${bundle.id}/notify/notify.sock`, "READY=1");
  expect(await manager.next()).toBe("READY=1\n");
  expect(await manager.next()).toMatch(/^MAINPID=[0-9]+\n$/);
  expect(await manager.next()).toBe("BARRIER=1");
  expect(await started.exited).toBe(0);
});
