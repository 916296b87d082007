/** image scp over a real sshd on the loopback, and between users of this machine. */
import { afterAll, beforeAll, expect } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileStore } from "../cli/container-flags.ts";
import { freePort } from "../harness/free-port.ts";
import { createStore, galleyProgram, type Store } from "../harness/galley.ts";
import { buildImage, writeLayout } from "../harness/image-builder.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const needs = { root: true, commands: ["sshd", "ssh", "ssh-keygen", "runuser"] };
const store = fileStore();
let base: string;
let server: Bun.Subprocess;
let there: Store;
let port: number;

function run(...words: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync([...words]);
  if (!success) throw new Error(`${words.join(" ")}: ${stderr}`);
}

beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  base = mkdtempSync(join(tmpdir(), "galley-scp-test-"));
  there = createStore();
  port = freePort();
  for (const name of ["host", "user"]) run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(base, name));
  mkdirSync(join(base, "bin"));
  const program = (name: string, text: string) => {
    writeFileSync(join(base, "bin", name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(base, "bin", name), 0o755);
  };
  // The user's own settings of ssh, which Galley leaves to ssh.
  program("ssh", `exec ${Bun.which("ssh")} -F ${base}/ssh_config "$@"`);
  writeFileSync(
    join(base, "ssh_config"),
    `Host *\n IdentityFile ${base}/user\n UserKnownHostsFile ${base}/known\n StrictHostKeyChecking accept-new\n`,
  );
  mkdirSync(join(base, "there"));
  writeFileSync(join(base, "there/galley"), `#!/bin/sh\nexec ${galleyProgram()} "$@"\n`, { mode: 0o755 });
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${base}/host`,
    `AuthorizedKeysFile ${base}/user.pub`,
    ...["UsePAM no", "StrictModes no", "PermitRootLogin yes", "PidFile none"],
    `SetEnv PATH=${base}/there:${process.env.PATH} GALLEY_ROOT=${there.root} GALLEY_RUNROOT=${there.runroot}`,
  ];
  writeFileSync(join(base, "sshd_config"), `${settings.join("\n")}\n`);
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const log = Bun.file(join(base, "log"));
  server = Bun.spawn([Bun.which("sshd") ?? "", "-D", "-e", "-f", join(base, "sshd_config")], {
    stdio: ["ignore", log, log],
  });
  for (let tries = 0; tries < 100; tries++) {
    const probe = Bun.spawnSync(["ssh-keyscan", "-p", String(port), "127.0.0.1"]);
    if (probe.stdout.length > 0) return;
    await Bun.sleep(50);
  }
  throw new Error(`sshd does not answer: ${await log.text()}`);
});
afterAll(async () => {
  server?.kill("SIGTERM");
  await server?.exited;
  if (missing(needs) !== undefined) return;
  await there.cleanup();
  rmSync(base, { recursive: true });
});

const env = () => ({ env: { PATH: `${base}/bin:${process.env.PATH}`, TMPDIR: base } });
const idOf = (name: string, of: Store) => of.ok(["image", "inspect", "-f", "{{.Id}}", name]);
const leftOver = () => readdirSync(base).filter((name) => name.startsWith("galley-scp-"));

testWith(
  needs,
  "an image goes to a host by ssh, and comes back from there",
  async () => {
    const host = `root@127.0.0.1:${port}`;
    await store().ok(["tag", "busybox", "mine/app:1"]);
    expect(await store().ok(["image", "scp", "mine/app:1", `${host}::`], env())).toBe("Loaded image: mine/app:1");
    expect(await idOf("mine/app:1", there)).toBe(await idOf("busybox", store()));
    await there.ok(["tag", "mine/app:1", "theirs:2"]);
    expect(await store().ok(["image", "scp", "-q", `ssh://${host}::theirs:2`], env())).toBe("");
    expect(await idOf("theirs:2", store())).toBe(await idOf("busybox", store()));
    expect(await store().ok(["run", "--rm", "theirs:2", "echo", "runs"])).toBe("runs");
    expect(await store().ok(["image", "scp", `${host}::mine/app:1`, `${host}::`], env())).toBe(
      "Loaded image: mine/app:1",
    );
    expect(leftOver()).toEqual([]);
  },
  60_000,
);

testWith(
  needs,
  "what fails there fails here, and leaves nothing",
  async () => {
    const host = `root@127.0.0.1:${port}`;
    const absent = await store().galley(["image", "scp", `${host}::nosuch; touch ${base}/injected`], env());
    expect(absent.status).toBe(125);
    expect(absent.stderr).toContain("save there ended with status");
    expect(existsSync(join(base, "injected"))).toBe(false);
    const unreachable = await store().galley(["image", "scp", "busybox", "root@127.0.0.1:1::"], env());
    expect(unreachable.status).toBe(125);
    const unknown = await store().galley(["image", "scp", "nosuch", `${host}::`], env());
    expect(unknown.stderr).toContain("No such image: nosuch");
    expect(leftOver()).toEqual([]);
  },
  60_000,
);

testWith(
  { root: true, commands: ["runuser", "unshare"] },
  "an image goes to another user of this machine, and comes back from there",
  async () => {
    const place = mkdtempSync(join(tmpdir(), "galley-scp-user-"));
    const [bin, home, archive] = [join(place, "bin"), join(place, "home"), join(place, "archive.tar")];
    for (const directory of [bin, home]) mkdirSync(directory);
    chmodSync(place, 0o755);
    const { uid, gid } = idsOf("nobody");
    chownSync(home, uid, gid);
    const log = join(home, "log");
    const settings = `HOME=${home} GALLEY_ROOT=${home}/root GALLEY_RUNROOT=${home}/run`;
    const script = `#!/bin/sh\necho "$(id -un) $*" >>${log}\nexec env ${settings} ${galleyProgram()} "$@"\n`;
    writeFileSync(join(bin, "galley"), script, { mode: 0o755 });
    // Who has no root can give files to nobody else.
    const image = buildImage({ layers: [{ entries: [{ ...file("a", "theirs"), uid, gid }], compression: "none" }] });
    mkdirSync(join(place, "layout"));
    writeLayout(join(place, "layout"), "1", image);
    try {
      await store().ok(["copy", `oci:${place}/layout:1`, `docker-archive:${archive}:users/app:1`]);
      await store().ok(["load", "-i", archive]);
      const as = (...words: readonly string[]) => {
        const command = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /usr/local/bin && exec "$@"', bin];
        const env = { ...process.env, GALLEY_ROOT: store().root, GALLEY_RUNROOT: store().runroot, HOME: store().home };
        const { exitCode, stdout, stderr } = Bun.spawnSync([...command, galleyProgram(), "image", "scp", ...words], {
          env,
        });
        return { status: exitCode, told: `${stdout}${stderr}` };
      };
      expect(as("users/app:1", "nobody@localhost::")).toMatchObject({
        status: 0,
        told: expect.stringContaining("Loaded image: users/app:1"),
      });
      const id = await idOf("users/app:1", store());
      await store().ok(["rmi", "users/app:1"]);
      expect(as("nobody@localhost::users/app:1")).toMatchObject({ status: 0 });
      expect(await idOf("users/app:1", store())).toBe(id);
      expect(readFileSync(log, "utf8")).toBe("nobody load\nnobody save users/app:1\n");
      expect(as("nosuch@localhost::users/app:1").told).toContain("nosuch");
    } finally {
      await store().galley(["rmi", "users/app:1"]);
      rmSync(place, { recursive: true });
    }
  },
  60_000,
);

function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const [uid, gid] = Bun.spawnSync(["sh", "-c", `id -u ${user}; id -g ${user}`])
    .stdout.toString()
    .split("\n")
    .map(Number);
  return { uid: uid ?? 0, gid: gid ?? 0 };
}
