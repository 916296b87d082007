/** The OCI runtime of a user without privileges: without a cgroup, and with one that was given to him. */
import { describe, expect } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { rootlessConfig } from "../../src/runtime/oci/example.ts";
import type { LinuxConfig } from "../../src/spec/runtime.ts";
import { galleyProgram } from "../harness/galley.ts";
import { OciBundle } from "./oci-bundle.ts";
import { becomeUser, USER, userTests } from "./user-test.ts";

const become = becomeUser("--clear-groups");

const user = userTests();

/** A bundle of the user's, and the runtime as he runs it, in a cgroup if one is named. */
async function owned(script: string, linux: LinuxConfig = {}, cgroup = "") {
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
  const by = async (nested: readonly string[], ...args: readonly string[]) => {
    const out = `${home}/out-${++count}`;
    const enter = cgroup === "" ? [] : ["sh", "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', cgroup];
    const child = Bun.spawn(
      [...enter, ...become, ...nested, galleyProgram(), "runtime", "--root", bundle.root, ...args],
      {
        cwd: bundle.path,
        env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: home, HOME: home },
        stdio: ["ignore", Bun.file(out), Bun.file(out)],
      },
    );
    return { status: await child.exited, output: readFileSync(out, "utf8") };
  };
  const run = Object.assign((...args: readonly string[]) => by([], ...args), { by });
  return { bundle, run };
}

interface Given extends Disposable {
  readonly directories: readonly string[];
  /** Of v2, where he must be below what was given to him (cgroup-v2.rst, "Delegation Containment"); empty elsewhere. */
  readonly own: string;
}

/** Gives the user a cgroup in every hierarchy that he can use, as an administrator does; it goes with the scope. */
function delegate(path: string): Given {
  const { v1, v2, mode } = detectCgroups();
  const mounts = mode === "v2" && v2 !== undefined ? [v2] : v1;
  const directories = mounts.map(({ mountPoint }) => `${mountPoint}${path}`);
  for (const directory of directories) {
    mkdirSync(directory);
    for (const file of ["cpuset.cpus", "cpuset.mems"]) copyDown(directory, file);
    for (const file of ["", "cgroup.procs", "tasks", "cgroup.subtree_control"]) give(`${directory}/${file}`);
  }
  const own = mode === "v2" ? `${directories[0]}/own` : "";
  if (own !== "") mkdirSync(own);
  return {
    directories,
    own,
    [Symbol.dispose]() {
      for (const directory of own === "" ? directories : [own, ...directories]) rmdirSync(directory);
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

  user("runs one as the root of a user namespace, which the container shares: it has the host's devices", async () => {
    const { namespaces = [] } = rootlessConfig().linux ?? {};
    const linux = { namespaces: namespaces.filter(({ type }) => type !== "user"), uidMappings: [], gidMappings: [] };
    const { bundle, run } = await owned("id -u; echo none > /dev/null && test -c /dev/null && echo null", linux);
    await using _ = bundle;
    const nested = ["unshare", "--user", "--map-root-user", "--mount"];
    expect(await run.by(nested, "run", bundle.id)).toEqual({ status: 0, output: "0\nnull\n" });
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
    const path = `/oci-given-${process.pid}`;
    using given = delegate(path);
    const linux = { cgroupsPath: `${path}/c`, resources: { pids: { limit: 10 } } };
    const { bundle, run } = await owned("exec sleep 1000", linux, given.own);
    await using _ = bundle;
    expect(await run("run", "-d", bundle.id)).toEqual({ status: 0, output: "" });
    const limit = given.directories.map((directory) => `${directory}/c/pids.max`).find(existsSync) ?? "";
    expect(readFileSync(limit, "utf8")).toBe("10\n");
    expect((await run("exec", "-d", bundle.id, "sleep", "999")).status).toBe(0);
    const pids = JSON.parse((await run("ps", "-f", "json", bundle.id)).output) as number[];
    expect(pids).toHaveLength(2);
    for (const pid of pids) expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).toContain(`:${path}/c\n`);
    expect((await run("update", "--pids-limit", "7", bundle.id)).status).toBe(0);
    expect(readFileSync(limit, "utf8")).toBe("7\n");
    expect((await run("pause", bundle.id)).status).toBe(0);
    expect(JSON.parse((await run("state", bundle.id)).output).status).toBe("paused");
    expect(await run("delete", "-f", bundle.id)).toEqual({ status: 0, output: "" });
    expect(given.directories.filter((directory) => existsSync(`${directory}/c`))).toEqual([]);
  });
});
