/** `exec` with each of its flags, on the real kernel: what runc's own command does. */
import { describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { CapabilitySets } from "../../src/spec/runtime.ts";
import { galleyProgram } from "../harness/galley.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 60_000);
}

const SLEEP = "exec sleep 1000";

/** A container that runs. */
async function running(options: ConstructorParameters<typeof OciBundle>[1] = {}): Promise<OciBundle> {
  const bundle = new OciBundle(SLEEP, options);
  await bundle.ok("run", "-d", bundle.id);
  return bundle;
}

/** The five sets of capabilities(7) by their names in /proc/PID/status. */
async function sets(bundle: OciBundle, ...flags: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const text = await bundle.ok("exec", ...flags, bundle.id, "cat", "/proc/self/status");
  const found = [...text.matchAll(/^Cap(Inh|Prm|Eff|Bnd|Amb):\t([0-9a-f]+)$/gm)];
  return Object.fromEntries(found.map(([, name = "", bits = ""]) => [name, Number.parseInt(bits, 16)]));
}

const CHOWN = 1;
const KILL = 1 << 5;
const SYSLOG = 2 ** 34;

describe("exec --cap", () => {
  root("without anything to inherit adds to no ambient set", async () => {
    await using bundle = await running({ process: { capabilities: {} } });
    expect(await sets(bundle)).toEqual({ Inh: 0, Prm: 0, Eff: 0, Bnd: 0, Amb: 0 });
    expect(await sets(bundle, "--cap", "CAP_KILL")).toEqual({ Inh: 0, Prm: KILL, Eff: KILL, Bnd: KILL, Amb: 0 });
  });

  root("with something to inherit adds what can be ambient", async () => {
    const capabilities: CapabilitySets = {
      inheritable: ["CAP_CHOWN", "CAP_SYSLOG"],
      permitted: ["CAP_KILL", "CAP_CHOWN"],
      effective: ["CAP_KILL"],
      bounding: ["CAP_KILL", "CAP_CHOWN", "CAP_SYSLOG"],
      ambient: ["CAP_CHOWN", "CAP_NET_RAW"],
    };
    await using bundle = new OciBundle(SLEEP, { process: { capabilities } });
    const { status, stderr } = await bundle.run("run", "-d", bundle.id);
    expect([status, stderr]).toEqual([0, expect.stringContaining("can't raise ambient capability CAP_NET_RAW: ")]);
    const base = { Inh: CHOWN + SYSLOG, Prm: CHOWN + KILL, Eff: CHOWN + KILL, Bnd: CHOWN + KILL + SYSLOG, Amb: CHOWN };
    expect(await sets(bundle)).toEqual(base);
    const all = CHOWN + KILL + SYSLOG;
    expect(await sets(bundle, "--cap", "CAP_SYSLOG")).toEqual({
      ...base,
      Prm: all,
      Eff: all,
      Amb: CHOWN + SYSLOG,
    });
  });
});

describe("exec", () => {
  root("adds variables, groups and a user; refuses what is no number", async () => {
    await using bundle = await running();
    const flags = ["-u", "1000:1001", "-g", "100", "--additional-gids", "65534", "-e", "A=1", "-e", "A=2"];
    const script = "id -u; id -G; echo $A $HOME";
    expect(await bundle.ok("exec", ...flags, bundle.id, "sh", "-c", script)).toBe("1000\n1001 100 65534\n2 /\n");
    for (const [flag, value, what] of [
      ["--user", "name", "uid"],
      ["--user", "1:x", "gid"],
      ["-g", "-1", "gid"],
    ] as const) {
      const { status, stderr } = await bundle.run("exec", flag, value, bundle.id, "true");
      expect([status, stderr]).toEqual([255, expect.stringContaining(`bad ${what}`)]);
    }
    expect(await bundle.run("exec", bundle.id)).toMatchObject({ status: 255, stderr: "exec args cannot be empty\n" });
  });

  root("of a file has the container's limits, and nothing else of its process", async () => {
    const rlimits = [{ type: "RLIMIT_CORE", soft: 512, hard: 1024 }];
    const env = ["PATH=/bin", "A=1"];
    await using bundle = await running({ process: { rlimits, env, user: { uid: 0, gid: 0, umask: 0o27 } } });
    const file = bundle.folder.at("process.json");
    const script = "echo $A; ulimit -c; umask; grep NoNewPrivs /proc/self/status";
    await Bun.write(file, JSON.stringify({ cwd: "/", args: ["/bin/sh", "-c", script], env: ["PATH=/bin"] }));
    expect(await bundle.ok("exec", "-p", file, bundle.id)).toBe("\n1\n0027\nNoNewPrivs:\t0\n");
    await Bun.write(file, JSON.stringify({ cwd: "/", args: [] }));
    expect(await bundle.run("exec", "-p", file, bundle.id)).toMatchObject({
      status: 255,
      stderr: expect.stringContaining("process.args: args must not be empty"),
    });
  });

  root("with a terminal and nobody to relay it needs a socket, which it needs for nothing else", async () => {
    await using bundle = await running();
    const failure = async (...flags: readonly string[]) =>
      (await bundle.run("exec", ...flags, bundle.id, "true")).stderr;
    expect(await failure("-d", "-t")).toContain(
      "cannot allocate tty if runc will detach without setting console socket",
    );
    const needless = "cannot use console socket if runc will not detach or allocate tty";
    expect(await failure("-t", "--console-socket", "/s")).toContain(needless);
    expect(await failure("-d", "--console-socket", "/s")).toContain(needless);
    const { stderr } = await bundle.run("run", "--console-socket", "/s", `${bundle.id}-second`);
    expect(stderr).toContain(needless);
  });

  root("into a paused container waits for its end only where it is told to", async () => {
    await using bundle = await running();
    await bundle.ok("pause", bundle.id);
    expect((await bundle.run("exec", bundle.id, "true")).stderr).toContain(
      "cannot exec in a paused container (use --ignore-paused to override)",
    );
    const added = bundle.run("exec", "--ignore-paused", bundle.id, "echo", "thawed");
    await Bun.sleep(100);
    await bundle.ok("resume", bundle.id);
    expect(await added).toEqual({ status: 0, stdout: "thawed\n", stderr: "" });
  });

  root("whose pid cannot be written leaves no process behind", async () => {
    await using bundle = await running();
    const pids = async (): Promise<number[]> => JSON.parse(await bundle.ok("ps", "-f", "json", bundle.id));
    const before = await pids();
    const { status, stderr } = await bundle.run("exec", "-d", "--pid-file", "/nosuch/pid", bundle.id, "sleep", "500");
    expect([status, stderr]).toEqual([255, expect.stringContaining("--pid-file /nosuch/pid")]);
    while ((await pids()).length > before.length) await Bun.sleep(5);
    expect(await pids()).toEqual(before);
  });

  root("hands a pidfd of the process over", async () => {
    await using bundle = await running();
    const socket = bundle.folder.at("pidfd.sock");
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    using listener = Bun.listen({ unix: socket, socket: { data: () => resolve() } });
    expect(listener.unix).toBe(socket);
    await bundle.ok("exec", "-d", "--pid-file", "pid", "--pidfd-socket", socket, bundle.id, "sleep", "500");
    await arrived;
    const pid = Number(readFileSync(`${bundle.path}/pid`, "utf8"));
    expect(JSON.parse(await bundle.ok("ps", "-f", "json", bundle.id))).toContain(pid);
    expect((await bundle.run("exec", "--pidfd-socket", "/nosuch", bundle.id, "true")).status).toBe(255);
  });

  root("that is not there, may not be executed or is no program is told as runc tells it", async () => {
    await using bundle = await running();
    await Bun.write(`${bundle.path}/rootfs/bin/plain`, "text");
    await Bun.write(`${bundle.path}/rootfs/bin/broken`, "#!/nosuch\n");
    Bun.spawnSync(["chmod", "755", `${bundle.path}/rootfs/bin/broken`]);
    for (const [command, message] of [
      ["nosuch", 'exec: "nosuch": executable file not found in $PATH'],
      ["plain", 'exec: "plain": executable file not found in $PATH'],
      ["/nosuch", 'exec: "/nosuch": stat /nosuch: no such file or directory'],
      ["/bin/plain", 'exec: "/bin/plain": permission denied'],
      ["/bin", 'exec: "/bin": is a directory: permission denied'],
      ["/bin/broken", "exec /bin/broken: no such file or directory"],
    ] as const) {
      const { status, stderr } = await bundle.run("exec", bundle.id, command);
      expect([status, stderr]).toEqual([255, `unable to start container process: ${message}\n`]);
    }
  });
});

describe("labels", () => {
  const modules = ["/sys/kernel/security/apparmor", "/sys/fs/selinux/enforce"].filter(existsSync);
  const title =
    modules.length === 0 ? "are refused as runc refuses them" : `(tried only without ${modules.join(", ")})`;

  root(`on a kernel that has no such module ${title}`, async () => {
    if (modules.length > 0) return;
    await using bundle = await running();
    const profile = await bundle.run("exec", "--apparmor", "p", bundle.id, "true");
    const written = "apparmor failed to apply profile: write /proc/thread-self/attr/exec: invalid argument";
    expect([profile.status, profile.stderr]).toEqual([255, expect.stringContaining(written)]);
    expect(profile.stderr).toContain("this kernel has no AppArmor, or it is switched off");
    const label = await bundle.run("exec", "--process-label", "l", bundle.id, "true");
    const missing = "selinux label is specified in config, but selinux is disabled or not supported";
    expect([label.status, label.stderr]).toEqual([255, expect.stringContaining(missing)]);
    bundle.configure("true", { process: { apparmorProfile: "p" } });
    const second = `${bundle.id}-second`;
    expect(await bundle.run("run", second)).toMatchObject({ status: 1, stderr: expect.stringContaining(written) });
  });
});

describe("a process of the container", () => {
  root("is said to be none where it cannot be", async () => {
    await using bundle = new OciBundle("true", { process: { args: ["/bin"] } });
    expect(await bundle.run("run", bundle.id)).toMatchObject({
      status: 1,
      stderr: 'unable to start container process: exec: "/bin": is a directory: permission denied\n',
    });
    for (const [part, message] of [
      [{ rlimits: [{ type: "RLIMIT_X", soft: 1, hard: 1 }] }, "process.rlimits[0].type: unknown limit"],
      [{ args: [] }, "process.args: args must not be empty"],
      [{ cwd: "" }, "process.cwd: must be an absolute path"],
      [{ oomScoreAdj: 1001 }, "process.oomScoreAdj: must be between -1000 and 1000"],
    ] as const) {
      bundle.configure("true", { process: part });
      expect(await bundle.run("run", bundle.id)).toMatchObject({ status: 1, stderr: expect.stringContaining(message) });
    }
    const { process: _, ...rest } = exampleConfig();
    await Bun.write(`${bundle.path}/config.json`, JSON.stringify(rest));
    expect((await bundle.run("create", bundle.id)).stderr).toContain("process property must not be empty");
  });

  // The shell counts core files in blocks of 512 bytes.
  root("has its OOM score, mask, limits and flag as configured", async () => {
    const script = "cat /proc/self/oom_score_adj; umask; ulimit -c; ulimit -Hc; grep NoNewPrivs /proc/self/status";
    await using bundle = new OciBundle(script, {
      process: {
        oomScoreAdj: 321,
        user: { uid: 5, gid: 6, umask: 0o77, additionalGids: [7] },
        rlimits: [{ type: "RLIMIT_CORE", soft: 1024, hard: 2048 }],
        noNewPrivileges: true,
      },
    });
    expect(await bundle.ok("run", bundle.id)).toBe("321\n0077\n2\n4\nNoNewPrivs:\t1\n");
    const argv = [galleyProgram(), "runtime", "--root", bundle.root, "run", "--preserve-fds=3", bundle.id];
    const { stderr } = Bun.spawnSync(argv, { cwd: bundle.path });
    expect(stderr.toString()).toContain("unable to stat preserved-fd 0 (of 3)");
  });
});
