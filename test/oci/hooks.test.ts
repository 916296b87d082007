/** Hooks of the OCI runtime: which run, where, in which order, and what a failure means. */
import { describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 30_000);
}

/** A hook that runs a script of the host's shell. */
function shell(script: string, more: { readonly env?: readonly string[]; readonly timeout?: number } = {}) {
  return { path: "/bin/sh", args: ["sh", "-c", script], ...more };
}

describe("hooks", () => {
  root("run in their order, each with the state of its moment", async () => {
    await using bundle = new OciBundle("exec sleep 1000", { root: { path: "rootfs" } });
    const log = bundle.folder.at("log");
    const note = (kind: string) =>
      shell(`sed 's/^/${kind} /' >> ${log}; echo >> ${log}`, { env: ["PATH=/bin:/usr/bin"] });
    const early = ["prestart", "createRuntime", "createContainer"] as const;
    const hooks = Object.fromEntries([...early, "poststart", "poststop"].map((kind) => [kind, [note(kind)]]));
    bundle.configure("exec sleep 1000", { hooks, annotations: { a: "b" } });
    const seen = () => readFileSync(log, "utf8").split("\n").filter(Boolean);
    const kinds = () => seen().map((line) => line.split(" ")[0]);
    await bundle.ok("create", bundle.id);
    expect(kinds()).toEqual([...early]);
    await bundle.ok("start", bundle.id);
    const { pid } = JSON.parse(await bundle.ok("state", bundle.id));
    await bundle.ok("delete", "-f", bundle.id);
    expect(kinds()).toEqual([...early, "poststart", "poststop"]);
    const states = seen().map((line) => JSON.parse(line.slice(line.indexOf(" "))));
    expect(states.map(({ status }) => status)).toEqual(["creating", "creating", "creating", "running", "stopped"]);
    expect(states[0]).toMatchObject({ id: bundle.id, pid, bundle: bundle.path, annotations: { a: "b" } });
  });

  root("are run with their own environment and name, those of the container in its namespaces", async () => {
    await using bundle = new OciBundle("true");
    const out = bundle.folder.at("out");
    const hooks = {
      createRuntime: [
        shell(`{ readlink /proc/self/ns/mnt; env | grep -v -e ^PWD -e ^_ -e ^SHLVL; } > ${out}-runtime`, {
          env: ["ONLY=this"],
        }),
      ],
      createContainer: [
        shell(`{ readlink /proc/self/ns/mnt; [ -e ${bundle.path} ] && echo host; } > ${out}-container`),
      ],
      startContainer: [
        { path: "/bin/sh", args: ["sh", "-c", "readlink /proc/self/ns/mnt > /tmp/inside; echo $OF >> /tmp/inside"] },
      ],
    };
    bundle.configure("cat /tmp/inside; readlink /proc/self/ns/mnt", {
      process: { env: ["PATH=/bin", "OF=process"] },
      hooks,
      root: { path: "rootfs" },
    });
    const [hook, variable, process] = (await bundle.ok("run", bundle.id)).split("\n");
    expect([hook, variable]).toEqual([process, "process"]);
    const [own, ...environment] = readFileSync(`${out}-runtime`, "utf8").trim().split("\n");
    expect(own).not.toBe(process);
    expect(environment).toEqual(["ONLY=this"]);
    expect(readFileSync(`${out}-container`, "utf8")).toBe(`${process}\nhost\n`);
  });

  root(
    "those of the container know it by its own pid and stand in its root; poststop comes after a run, too",
    async () => {
      await using bundle = new OciBundle("true");
      const out = bundle.folder.at("out");
      const tell = `cat; echo; pwd; id -u; cat /proc/self/cgroup`;
      const hooks = {
        createRuntime: [shell(`{ ${tell}; } > ${out}-runtime`, { env: ["PATH=/bin:/usr/bin"] })],
        createContainer: [
          shell(`{ ${tell}; umask; ls /proc/self/fd | wc -l; } > ${out}-container`, { env: ["PATH=/bin:/usr/bin"] }),
        ],
        startContainer: [{ path: "/bin/busybox", args: ["sh", "-c", `{ ${tell}; } > /dev/shm/start`] }],
        poststop: [shell("exit 1"), shell(`cat > ${out}-stop; pwd > ${out}-place`, { env: ["PATH=/bin:/usr/bin"] })],
      };
      const user = { uid: 1000, gid: 1000 };
      bundle.configure("cat /dev/shm/start", { process: { cwd: "/tmp", user }, root: { path: "rootfs" }, hooks });
      const [state = "{}", place, uid] = (await bundle.ok("run", bundle.id)).split("\n");
      expect(JSON.parse(state)).toMatchObject({ id: bundle.id, status: "created", pid: 1, bundle: bundle.path });
      expect([place, uid]).toEqual(["/tmp", "1000"]);
      const lines = (name: string): string[] => readFileSync(`${out}-${name}`, "utf8").trim().split("\n");
      const [inside = "{}", root, own, ...rest] = lines("container");
      expect(JSON.parse(inside)).toMatchObject({ status: "creating", pid: 1 });
      expect([root, own, ...rest.slice(-2)]).toEqual([`${bundle.path}/rootfs`, "0", "0022", "4"]);
      expect(rest.some((line) => line.endsWith(`/${bundle.id}`))).toBe(true);
      expect(lines("runtime")[1]).toBe(bundle.path);
      expect(JSON.parse(lines("stop")[0] ?? "")).toEqual({ ...JSON.parse(state), status: "stopped", pid: undefined });
      expect(lines("place")).toEqual([bundle.path]);
    },
  );

  root("what a hook mounts in the root at the bundle's path is the container's", async () => {
    await using bundle = new OciBundle("true");
    const mount = (name: string) => `mkdir -p ${name} && mount -t tmpfs none ${name} && touch ${name}/seen`;
    const env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
    const enter = `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); exec nsenter -m -t $pid sh -c '${mount(`${bundle.path}/rootfs/host`)}'`;
    const hooks = { createRuntime: [shell(enter, { env })], createContainer: [shell(mount("./own"), { env })] };
    bundle.configure("ls /host /own", { root: { path: "rootfs" }, hooks });
    expect(await bundle.ok("run", bundle.id)).toBe("/host:\nseen\n\n/own:\nseen\n");
  });

  for (const kind of ["prestart", "createRuntime", "createContainer", "startContainer"] as const) {
    root(`one that fails keeps the container from running: ${kind}`, async () => {
      await using bundle = new OciBundle("true");
      const hooks = { [kind]: [shell("echo said; echo why >&2; exit 3")] };
      bundle.configure("echo ran", { hooks });
      const { status, stdout, stderr } = await bundle.run("run", bundle.id);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toContain(`error running ${kind} hook #0: exit status`);
      expect(await bundle.ok("list", "-q")).toBe("");
    });
  }

  root("one that takes too long is ended; one that is not there is named", async () => {
    await using bundle = new OciBundle("true");
    bundle.configure("true", { hooks: { prestart: [{ ...shell("exec sleep 100"), timeout: 1 }] } });
    expect((await bundle.run("run", bundle.id)).stderr).toContain("hook ran past specified timeout of 1.0s");
    bundle.configure("true", { hooks: { poststart: [{ path: "/nosuch/hook" }] } });
    expect((await bundle.run("run", bundle.id)).stderr).toContain("(hooks.poststart[0])");
    bundle.configure("true", { hooks: { poststop: [shell(`touch ${bundle.folder.at("after")}`), shell("exit 1")] } });
    expect((await bundle.run("run", "-d", bundle.id)).status).toBe(0);
    expect((await bundle.run("delete", "-f", bundle.id)).status).toBe(0);
    expect(existsSync(bundle.folder.at("after"))).toBe(true);
  });

  root("a failure after a run's end is warned of where the run's own warnings go, and its status stays", async () => {
    const poststop = [shell("echo said; echo why >&2; exit 3"), { path: "/nosuch/hook" }];
    await using bundle = new OciBundle("true");
    bundle.configure("exit 7", { hooks: { poststop } });
    const words = [
      "error running poststop hook #0: exit status 3, stdout: said, stderr: why",
      "error running poststop hook #1: fork/exec /nosuch/hook: no such file or directory",
    ];
    const plain = await bundle.run("run", bundle.id);
    expect(plain.status).toBe(7);
    expect(plain.stderr.split("\n").map((line) => line.replace(/^time=\S+ /, ""))).toEqual([
      ...words.map((text) => `level=warning msg="${text}"`),
      "",
    ]);
    const log = bundle.folder.at("log.json");
    expect(await bundle.run("--log", log, "--log-format", "json", "run", bundle.id)).toMatchObject({
      status: 7,
      stderr: "",
    });
    const lines = readFileSync(log, "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(words.map((msg) => ({ level: "warning", msg })));
    expect(await bundle.ok("list", "-q")).toBe("");
  });
});
