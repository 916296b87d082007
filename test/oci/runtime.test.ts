/** The OCI runtime's command line on the real kernel: the life of a container, as managers drive it. */
import { describe, expect } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { planCgroup } from "../../src/linux/cgroups/plan.ts";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle, runtimeProgram } from "./oci-bundle.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 30_000);
}

function cgroupsOf(id: string): string[] {
  const { v1, v2 } = detectCgroups();
  return [...v1, ...(v2 === undefined ? [] : [v2])].map(({ mountPoint }) => `${mountPoint}/${id}`).filter(existsSync);
}

describe("a container", () => {
  root("is created, started, stops and is deleted, and nothing is left", async () => {
    await using bundle = new OciBundle("echo ran > /tmp/ran; exec sleep 1000", { root: { path: "rootfs" } });
    const { id } = bundle;
    await bundle.ok("create", "--bundle", bundle.path, "--pid-file", bundle.folder.at("pid"), id);
    const state = JSON.parse(await bundle.ok("state", id));
    expect(state).toMatchObject({ ociVersion: "1.3.0", id, status: "created", bundle: bundle.path });
    expect(readFileSync(bundle.folder.at("pid"), "utf8")).toBe(String(state.pid));
    expect(existsSync(`${bundle.path}/rootfs/tmp/ran`)).toBe(false);
    await bundle.ok("start", id);
    expect(await bundle.status()).toBe("running");
    expect((await bundle.run("start", id)).stderr).toContain("cannot start an already running container");
    expect((await bundle.run("delete", id)).stderr).toContain(
      `cannot delete container ${id} that is not stopped: running`,
    );
    await bundle.ok("kill", id, "KILL");
    await bundle.until("stopped");
    expect(JSON.parse(await bundle.ok("state", id)).pid).toBe(0);
    expect((await bundle.run("kill", id)).stderr).toContain("container not running");
    await bundle.ok("delete", id);
    expect(readFileSync(`${bundle.path}/rootfs/tmp/ran`, "utf8")).toBe("ran\n");
    expect(readdirSync(bundle.root)).toEqual([]);
    expect(cgroupsOf(id)).toEqual([]);
    expect((await bundle.run("state", id)).stderr).toContain("container does not exist");
  });

  root("that was only created is deleted too; an ID is taken once", async () => {
    await using bundle = new OciBundle("true");
    await bundle.ok("create", bundle.id);
    expect((await bundle.run("create", bundle.id)).stderr).toContain(`container with id exists: ${bundle.id}`);
    await bundle.ok("delete", bundle.id);
    expect(await bundle.ok("list", "-q")).toBe("");
    expect((await bundle.run("--root", "/nosuch", "list")).stderr).toContain("/nosuch");
    expect((await bundle.run("delete", bundle.id)).status).toBe(1);
    expect((await bundle.run("delete", "--force", bundle.id)).status).toBe(0);
  });

  root("that was only created ends by SIGTERM, though it is the first of its pids", async () => {
    await using bundle = new OciBundle("true");
    await bundle.ok("create", bundle.id);
    await bundle.ok("kill", bundle.id, "TERM");
    await bundle.until("stopped");
    expect((await bundle.run("start", bundle.id)).stderr).toContain("cannot start a container that has stopped");
  });

  root("run stays with the process, passes its status on and deletes it; --keep does not", async () => {
    await using bundle = new OciBundle("echo out; echo err >&2; exit 7");
    expect(await bundle.run("run", bundle.id)).toEqual({ status: 7, stdout: "out\n", stderr: "err\n" });
    expect(await bundle.ok("list", "-q")).toBe("");
    expect((await bundle.run("run", "--keep", bundle.id)).status).toBe(7);
    expect(await bundle.status()).toBe("stopped");
    await bundle.ok("delete", bundle.id);
    bundle.configure("kill -9 $$; sleep 10", { linux: { namespaces: [{ type: "mount" }] } });
    expect((await bundle.run("run", bundle.id)).status).toBe(137);
    expect(cgroupsOf(bundle.id)).toEqual([]);
  });

  root("run -d leaves it to itself", async () => {
    await using bundle = new OciBundle("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    expect(await bundle.status()).toBe("running");
    await bundle.ok("delete", "-f", bundle.id);
    expect(cgroupsOf(bundle.id)).toEqual([]);
  });

  root("is paused and resumed, listed, and its processes shown", async () => {
    await using bundle = new OciBundle("exec sleep 1000", { annotations: { a: "b" } });
    await bundle.ok("run", "-d", bundle.id);
    await bundle.ok("pause", bundle.id);
    expect(await bundle.status()).toBe("paused");
    expect((await bundle.run("pause", bundle.id)).stderr).toContain("container not running");
    expect((await bundle.run("exec", bundle.id, "true")).stderr).toContain("cannot exec in a paused container");
    await bundle.ok("resume", bundle.id);
    expect(await bundle.status()).toBe("running");
    const [listed] = JSON.parse(await bundle.ok("list", "--format", "json"));
    expect(listed).toMatchObject({ id: bundle.id, status: "running", annotations: { a: "b" } });
    expect(await bundle.ok("list")).toContain(`\n${bundle.id}`);
    expect(JSON.parse(await bundle.ok("ps", "-f", "json", bundle.id))).toEqual([listed.pid]);
    expect(await bundle.ok("ps", bundle.id)).toMatch(/PID.*\n.* sleep 1000\n$/);
  });

  root("gets other limits while it runs, by flags or from a file", async () => {
    await using bundle = new OciBundle("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    const pids = () =>
      readFileSync(`${cgroupsOf(bundle.id).find((path) => existsSync(`${path}/pids.max`))}/pids.max`, "utf8");
    await bundle.ok("update", "--pids-limit", "33", "--memory", "64M", bundle.id);
    expect(pids()).toBe("33\n");
    const file = bundle.folder.at("resources.json");
    writeFileSync(file, JSON.stringify({ pids: { limit: 44 } }));
    await bundle.ok("update", "--resources", file, bundle.id);
    expect(pids()).toBe("44\n");
    writeFileSync(file, JSON.stringify({ pids: { limit: "many" } }));
    expect((await bundle.run("update", "-r", file, bundle.id)).stderr).toContain("pids.limit");
    await bundle.ok("kill", bundle.id, "KILL");
    await bundle.until("stopped");
    expect((await bundle.run("update", "--pids-limit", "1", bundle.id)).stderr).toContain("container not running");
  });

  root("runs under a seccomp profile that is older than what the runtime itself calls", async () => {
    const names = [
      "close_range",
      "openat2",
      "clone3",
      "faccessat2",
      "statx",
      "mount_setattr",
      "move_mount",
      "pidfd_open",
    ];
    const rule = { names, action: "SCMP_ACT_ERRNO", errnoRet: 1 };
    const seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [rule] };
    await using bundle = new OciBundle("echo ran");
    for (const noNewPrivileges of [false, true]) {
      bundle.configure("echo ran", { process: { noNewPrivileges }, linux: { ...exampleConfig().linux, seccomp } });
      expect(await bundle.run("run", bundle.id)).toEqual({ status: 0, stdout: "ran\n", stderr: "" });
    }
  });

  root("of the host's pids is killed whole", async () => {
    await using bundle = new OciBundle("sleep 999 & exec sleep 1000", { linux: { namespaces: [{ type: "mount" }] } });
    await bundle.ok("run", "-d", bundle.id);
    while (JSON.parse(await bundle.ok("ps", "-f", "json", bundle.id)).length < 2) await Bun.sleep(5);
    await bundle.ok("kill", bundle.id, "KILL");
    await bundle.until("stopped");
    await bundle.ok("delete", bundle.id);
    expect(cgroupsOf(bundle.id)).toEqual([]);
  });
});

describe("exec", () => {
  root("runs a process with what the flags change, and passes its status on", async () => {
    await using bundle = new OciBundle("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    const flags = ["--env", "A=1", "--cwd", "/bin", "--user", "12:34", "-g", "56"];
    const script = "echo $A; pwd; id -u; id -g; id -G; exit 4";
    const result = await bundle.run("exec", ...flags, bundle.id, "sh", "-c", script);
    expect(result).toEqual({ status: 4, stdout: "1\n/bin\n12\n34\n34 56\n", stderr: "" });
    const bits = ["grep", "CapEff", "/proc/self/status"];
    expect(await bundle.ok("exec", "--cap", "CAP_SYS_TIME", bundle.id, ...bits)).toContain("0000000022000420");
    expect(await bundle.ok("exec", "--no-new-privs", bundle.id, "grep", "NoNew", "/proc/self/status")).toContain("\t1");
    expect(await bundle.ok("exec", "--user", "77", bundle.id, "sh", "-c", "echo $HOME")).toBe("/\n");
    writeFileSync(`${bundle.path}/rootfs/bin/script`, "#!/nosuch\n", { mode: 0o755 });
    const broken = await bundle.run("exec", bundle.id, "/bin/script");
    expect([broken.status, broken.stderr]).toEqual([
      255,
      expect.stringContaining("exec /bin/script: no such file or directory"),
    ]);
    expect((await bundle.run("exec", bundle.id, "nosuch")).stderr).toContain(
      'exec: "nosuch": executable file not found in $PATH',
    );
    expect((await bundle.run("exec", "nosuch", "true")).stderr).toContain("container does not exist");
  });

  root("-d leaves the process to itself and writes its pid", async () => {
    await using bundle = new OciBundle("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    await bundle.ok("exec", "-d", "--pid-file", bundle.folder.at("pid"), bundle.id, "sleep", "500");
    const pid = Number(readFileSync(bundle.folder.at("pid"), "utf8"));
    expect(JSON.parse(await bundle.ok("ps", "-f", "json", bundle.id))).toContain(pid);
  });

  root("--cgroup puts the process into a cgroup below the container's own, of each hierarchy or of one", async () => {
    // In a cgroup namespace, as the example has on v2, the paths would be cut short.
    const namespaces = (["pid", "mount"] as const).map((type) => ({ type }));
    await using bundle = new OciBundle("exec sleep 1000", { linux: { namespaces } });
    await bundle.ok("run", "-d", bundle.id);
    const show = (...flags: string[]) => bundle.run("exec", ...flags, bundle.id, "cat", "/proc/self/cgroup");
    const paths = async (...flags: string[]) =>
      (await show(...flags)).stdout
        .trim()
        .split("\n")
        .map((line) => line.slice(line.lastIndexOf(":") + 1));
    const own = await paths();
    expect(new Set(own)).toEqual(new Set([`/${bundle.id}`]));
    expect(await paths("--cgroup", "/")).toEqual(own);
    for (const directory of cgroupsOf(bundle.id)) mkdirSync(`${directory}/below`);
    // v2 hands a controller down only where it is told to.
    const cpusets = cgroupsOf(bundle.id).filter((directory) => existsSync(`${directory}/below/cpuset.cpus`));
    for (const directory of cpusets) {
      for (const file of ["cpuset.cpus", "cpuset.mems"])
        writeFileSync(`${directory}/below/${file}`, readFileSync(`${directory}/${file}`));
    }
    expect(new Set(await paths("--cgroup", "below"))).toEqual(new Set([`/${bundle.id}/below`]));
    expect((await show("--cgroup", "..")).stderr).toContain("bad sub cgroup path: ..");
    const missing = await show("--cgroup", "nosuch");
    expect([missing.status, missing.stderr]).toEqual([255, expect.stringMatching(/ adding pid .*o such file/)]);
    await bundle.ok("delete", "-f", bundle.id);
    expect(cgroupsOf(bundle.id)).toEqual([]);
  });

  root("--process takes the whole of it from a file", async () => {
    await using bundle = new OciBundle("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    const process = { cwd: "/tmp", args: ["pwd"], env: ["PATH=/bin"] };
    await Bun.write(bundle.folder.at("process.json"), JSON.stringify(process));
    expect(await bundle.ok("exec", "--process", bundle.folder.at("process.json"), bundle.id)).toBe("/tmp\n");
  });
});

describe("what a process is given", () => {
  root("a variable once, the last one; a home that the container's own files name", async () => {
    const env = ["PATH=/bin", "A=1", "A=2", "HOME="];
    await using bundle = new OciBundle("echo $A $HOME", { process: { env } });
    expect(await bundle.ok("run", bundle.id)).toBe("2 /\n");
    bundle.configure("echo $HOME", { process: { user: { uid: 77, gid: 0 } } });
    writeFileSync(`${bundle.path}/rootfs/etc/passwd`, "someone:x:77:0::/home/someone:/bin/sh\n");
    expect(await bundle.ok("run", bundle.id)).toBe("/home/someone\n");
    rmSync(`${bundle.path}/rootfs/etc/passwd`);
    symlinkSync("/etc/passwd", `${bundle.path}/rootfs/etc/passwd`);
    expect(await bundle.ok("run", bundle.id)).toBe("/\n");
    rmSync(`${bundle.path}/rootfs/etc/passwd`);
    expect(Bun.spawnSync(["mkfifo", `${bundle.path}/rootfs/etc/passwd`]).exitCode).toBe(0);
    expect(await bundle.ok("run", bundle.id)).toBe("/\n");
  });

  root("a working directory that its user may not enter, or that root may not, but none of the host's", async () => {
    await using bundle = new OciBundle("pwd", { process: { cwd: "/closed", user: { uid: 42, gid: 0 } } });
    mkdirSync(`${bundle.path}/rootfs/closed`, { mode: 0o700 });
    expect(await bundle.ok("run", bundle.id)).toBe("/closed\n");
    bundle.configure("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    expect(await bundle.ok("exec", "--user", "42", "--cwd", "/closed", bundle.id, "true")).toBe("");
    const missing = await bundle.run("exec", "--cwd", "/nosuch", bundle.id, "true");
    expect(missing.stderr).toContain('chdir to cwd ("/nosuch") set in config.json failed: no such file or directory');
    const out = `/proc/self/fd/3`;
    const args = [...runtimeProgram(), "--root", bundle.root, "exec", "--preserve-fds=1", "--cwd", out, bundle.id];
    const leaked = Bun.spawnSync(["sh", "-c", '"$@" 3</', "sh", ...args, "pwd"], { cwd: bundle.path });
    expect([leaked.exitCode, leaked.stdout.toString()]).toEqual([255, ""]);
    expect(leaked.stderr.toString()).toContain("possible container breakout detected");
  });

  root("the descriptors that --preserve-fds names, and no other", async () => {
    await using bundle = new OciBundle(
      "cat <&3; [ -e /proc/self/fd/4 ] || echo closed; cat <&5 2>/dev/null || echo none",
    );
    const given = bundle.folder.at("given");
    writeFileSync(given, "given\n");
    const script = '"$@" 3<"$0" 5<"$0"';
    const args = [...runtimeProgram(), "--root", bundle.root, "run", "--preserve-fds", "1", bundle.id];
    const child = Bun.spawnSync(["sh", "-c", script, given, ...args], {
      cwd: bundle.path,
      env: { PATH: process.env.PATH },
    });
    expect(child.stdout.toString()).toBe("given\nclosed\nnone\n");
  });

  root("a time of its own", async () => {
    const namespaces = [...(exampleConfig().linux?.namespaces ?? []), { type: "time" } as const];
    const timeOffsets = { monotonic: { secs: 7881, nanosecs: 5 }, boottime: { secs: 1337 } };
    const show = "cat /proc/self/timens_offsets";
    await using bundle = new OciBundle(`${show}; exec sleep 1000`, { linux: { namespaces, timeOffsets } });
    await bundle.ok("run", "-d", bundle.id);
    const seen = await bundle.ok("exec", bundle.id, "sh", "-c", show);
    expect(seen).toMatch(/^monotonic +7881 +5\nboottime +1337 +0\n$/);
  });

  root("a cgroup that no other container is in", async () => {
    const linux = { ...exampleConfig().linux, cgroupsPath: `/oci-shared-${process.pid}` };
    await using bundle = new OciBundle("exec sleep 1000", { linux });
    await bundle.ok("run", "-d", bundle.id);
    const { status, stderr } = await bundle.run("run", "-d", `${bundle.id}-second`);
    expect(status).toBe(1);
    expect(stderr).toContain("container's cgroup is not empty: 1 process(es) found");
    await bundle.ok("delete", "-f", bundle.id);
    const { freezer } = planCgroup({ layout: detectCgroups(), path: linux.cgroupsPath, skipDevices: true });
    const directory = freezer?.freeze.path.replace(/\/[^/]*$/, "") ?? "";
    mkdirSync(directory);
    writeFileSync(freezer?.freeze.path ?? "", freezer?.freeze.value ?? "");
    expect((await bundle.run("create", bundle.id)).stderr).toContain("container's cgroup unexpectedly frozen");
    rmdirSync(directory);
  });

  root("with -t a terminal whose lines end as the process ends them", async () => {
    await using bundle = new OciBundle("tty; echo line", { process: { terminal: true } });
    const { status, stdout } = await bundle.run("run", bundle.id);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "/dev/pts/0\nline\n" });
  });
});

describe("what is refused", () => {
  root("says why, on standard error and in the log, and leaves nothing", async () => {
    await using bundle = new OciBundle("true");
    const log = bundle.folder.at("log");
    expect((await bundle.run("create", "bad/id")).stderr).toContain('invalid container ID format: "bad/id"');
    const away = await bundle.run("--log", log, "--log-format", "json", "create", "-b", "/nosuch", bundle.id);
    expect(away.status).toBe(1);
    expect(away.stderr).toContain("/nosuch/config.json not found");
    expect(JSON.parse(readFileSync(log, "utf8"))).toMatchObject({ level: "error", msg: away.stderr.split("\n")[0] });
    bundle.configure("true", { root: { path: "absent" } });
    expect((await bundle.run("create", bundle.id)).stderr).toContain("root.path");
    bundle.configure("true", { process: { args: ["nosuch"] } });
    expect((await bundle.run("run", bundle.id)).stderr).toContain('exec: "nosuch": executable file not found in $PATH');
    bundle.configure("true", { process: { terminal: true } });
    expect((await bundle.run("create", bundle.id)).stderr).toContain("--console-socket");
    bundle.configure("true", { mounts: [{ destination: "/x", type: "nosuchfs", source: "x" }] });
    expect((await bundle.run("create", bundle.id)).stderr).toContain("mounts[0] (nosuchfs on /x)");
    expect(readdirSync(bundle.root)).toEqual([]);
    expect(cgroupsOf(bundle.id)).toEqual([]);
    expect((await bundle.run("nosuch")).status).not.toBe(0);
    expect((await bundle.run("create")).stderr).toContain('"create" requires exactly 1 argument(s)');
    if (existsSync("/run/systemd/system")) return;
    expect((await bundle.run("--systemd-cgroup", "run", "box")).stderr).toContain(
      "systemd not running on this host, cannot use systemd cgroups manager",
    );
  });

  root("spec writes a configuration once; features lists what there is", async () => {
    await using bundle = new OciBundle("true");
    const at = bundle.folder.at("fresh");
    await Bun.write(`${at}/keep`, "");
    await bundle.ok("spec", "--bundle", at);
    expect(JSON.parse(readFileSync(`${at}/config.json`, "utf8"))).toMatchObject({ process: { args: ["sh"] } });
    expect((await bundle.run("spec", "-b", at)).stderr).toContain("File config.json exists. Remove it first");
    const found = JSON.parse(await bundle.ok("features"));
    expect(found.linux.seccomp.actions).toContain("SCMP_ACT_ERRNO");
    expect(found.mountOptions).toContain("rro");
    expect(found.linux).toMatchObject({
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
    });
    expect(found.potentiallyUnsafeConfigAnnotations).toEqual(["org.systemd.property.", "org.criu.config"]);
    expect(await bundle.ok("--version")).toMatch(/^galley version .*\ncommit: galley .*\nspec: 1\.3\.0\n$/);
  });
});
