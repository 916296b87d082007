/** The OCI runtime of a user without privileges: without a cgroup, and with one that was given to him. */
import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { rootlessConfig } from "../../src/runtime/oci/example.ts";
import type { LinuxConfig } from "../../src/spec/runtime.ts";
import { galleyProgram } from "../harness/galley.ts";
import { missing } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

const USER = 1000;
const become = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];

/** The user must be able to run the program that is tested, which may lie in root's home. */
function reason(): string | undefined {
  const lacking = missing({ root: true, commands: ["setpriv"], paths: ["/bin/busybox", "/proc/self/ns/user"] });
  if (lacking !== undefined) return lacking;
  const { exitCode } = Bun.spawnSync([...become, galleyProgram(), "--version"]);
  return exitCode === 0 ? undefined : "needs a program that every user may run";
}

const lacking = reason();

function user(name: string, body: () => Promise<void>): void {
  const shown = lacking === undefined ? name : `${name} (${lacking})`;
  test.skipIf(lacking !== undefined)(shown, body, 60_000);
}

/** A bundle of the user's, and the runtime as he runs it. */
async function owned(script: string, linux: LinuxConfig = {}) {
  const bundle = new OciBundle(script);
  const config = rootlessConfig();
  const map = [{ containerID: 0, hostID: USER, size: 1 }];
  const { mounts = [] } = config;
  bundle.configure(script, {
    mounts,
    linux: { ...config.linux, uidMappings: map, gidMappings: map, ...linux },
  });
  const home = bundle.folder.at("home");
  mkdirSync(home);
  Bun.spawnSync(["chown", "-R", `${USER}:${USER}`, bundle.folder.path]);
  chmodSync(bundle.folder.path, 0o755);
  let count = 0;
  const run = async (...args: readonly string[]) => {
    const out = `${home}/out-${++count}`;
    const child = Bun.spawn([...become, galleyProgram(), "runtime", "--root", bundle.root, ...args], {
      cwd: bundle.path,
      env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: home, HOME: home },
      stdio: ["ignore", Bun.file(out), Bun.file(out)],
    });
    return { status: await child.exited, output: readFileSync(out, "utf8") };
  };
  return { bundle, run };
}

/** Gives the user a cgroup in every hierarchy that he can use, as an administrator does; it goes with the scope. */
function delegate(path: string): Disposable & { readonly directories: readonly string[] } {
  const { v1, v2, mode } = detectCgroups();
  const mounts = mode === "v2" && v2 !== undefined ? [v2] : v1;
  const directories = mounts.map(({ mountPoint }) => `${mountPoint}${path}`);
  for (const directory of directories) {
    mkdirSync(directory);
    for (const file of ["cpuset.cpus", "cpuset.mems"]) copyDown(directory, file);
    for (const file of ["", "cgroup.procs", "tasks", "cgroup.subtree_control"]) give(`${directory}/${file}`);
  }
  return {
    directories,
    [Symbol.dispose]() {
      for (const directory of directories) rmdirSync(directory);
    },
  };
}

function copyDown(directory: string, file: string): void {
  const above = `${directory.slice(0, directory.lastIndexOf("/"))}/${file}`;
  if (existsSync(`${directory}/tasks`) && existsSync(above)) writeFileSync(`${directory}/${file}`, readFileSync(above));
}

function give(path: string): void {
  if (existsSync(path)) chownSync(path, USER, USER);
}

describe("a user without privileges", () => {
  user("runs a container as its root, without a cgroup, and execs in it", async () => {
    const { bundle, run } = await owned("exec sleep 1000");
    await using _ = bundle;
    expect(await run("run", "-d", bundle.id)).toEqual({ status: 0, output: "" });
    expect(await run("exec", bundle.id, "id", "-u")).toEqual({ status: 0, output: "0\n" });
    const [pid] = JSON.parse((await run("ps", "-f", "json", bundle.id)).output);
    expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).not.toContain(bundle.id);
    expect(readFileSync(`/proc/${pid}/uid_map`, "utf8")).toMatch(/^ +0 +1000 +1\n$/);
    expect((await run("pause", bundle.id)).output).toContain("no cgroup that could be frozen");
    expect((await run("list")).output).not.toContain(" root\n");
    expect((await run("delete", "-f", bundle.id)).status).toBe(0);
    expect((await run("list", "-q")).output).toBe("");
  });

  user("is told why there can be no limits, and which cgroup he may not make", async () => {
    const resources = { pids: { limit: 10 } };
    const { bundle, run } = await owned("true", { resources });
    await using _ = bundle;
    expect((await run("run", bundle.id)).output).toContain(
      "rootless needs no limits + no cgrouppath when no permission is granted for cgroups",
    );
    const named = await owned("true", { cgroupsPath: `/${bundle.id}` });
    await using __ = named.bundle;
    const { status, output } = await named.run("run", bundle.id);
    expect([status, output]).toEqual([
      1,
      expect.stringMatching(/unable to apply cgroup configuration.*permission denied/),
    ]);
    expect((await run("--rootless", "perhaps", "run", bundle.id)).output).toContain(
      '--rootless: invalid value "perhaps"',
    );
  });

  user("keeps limits in a cgroup that was given to him, pauses and updates", async () => {
    if (detectCgroups().mode === "v2") return; // there his own cgroup must be inside it too, which the login manager sees to
    const path = `/oci-given-${process.pid}`;
    using given = delegate(path);
    const { bundle, run } = await owned("exec sleep 1000", {
      cgroupsPath: `${path}/c`,
      resources: { pids: { limit: 10 } },
    });
    await using _ = bundle;
    expect(await run("run", "-d", bundle.id)).toEqual({ status: 0, output: "" });
    const limit = given.directories.map((directory) => `${directory}/c/pids.max`).find(existsSync) ?? "";
    expect(readFileSync(limit, "utf8")).toBe("10\n");
    expect((await run("exec", bundle.id, "cat", "/proc/self/cgroup")).output).toContain(`:pids:${path}/c\n`);
    expect((await run("update", "--pids-limit", "7", bundle.id)).status).toBe(0);
    expect(readFileSync(limit, "utf8")).toBe("7\n");
    expect((await run("pause", bundle.id)).status).toBe(0);
    expect(JSON.parse((await run("state", bundle.id)).output).status).toBe("paused");
    expect(await run("delete", "-f", bundle.id)).toEqual({ status: 0, output: "" });
    expect(given.directories.filter((directory) => existsSync(`${directory}/c`))).toEqual([]);
  });
});
