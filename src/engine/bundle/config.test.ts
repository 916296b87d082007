import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readyProgram } from "../../linux/seccomp/ready-programs.ts";
import { linuxVocabulary } from "../../linux/vocabulary.ts";
import { findProblems } from "../../spec/validate/validate.ts";
import type { ContainerSpec } from "../types.ts";
import { makeExecProcess } from "./exec.ts";
import { resolveProcess } from "./process.ts";
import { checkPropagation } from "./propagation.ts";
import { configOf, id, Layer } from "./test-parts.ts";

let layer: Layer;
beforeAll(() => {
  layer = new Layer();
});
afterAll(() => layer[Symbol.dispose]());

const short = id.slice(0, 12);
const places = (config: { readonly mounts?: readonly { readonly destination: string }[] }) =>
  (config.mounts ?? []).map(({ destination }) => destination);
const system = ["/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/dev/shm"];

test("a plain container is docker's", async () => {
  const config = await configOf(layer, {}, { Cmd: ["sh"], Env: ["PATH=/bin"] });
  expect(config).toMatchObject({
    hostname: short,
    process: {
      user: { uid: 0, gid: 0, additionalGids: [0] },
      args: ["sh"],
      env: ["PATH=/bin", `HOSTNAME=${short}`, "HOME=/root"],
      cwd: "/",
    },
    linux: {
      cgroupsPath: `/galley/${id}`,
      namespaces: [{ type: "mount" }, { type: "network" }, { type: "uts" }, { type: "pid" }, { type: "ipc" }],
      sysctl: { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" },
      resources: { devices: [{ allow: false, access: "rwm" }] },
    },
  });
  expect(places(config)).toEqual(system);
  expect(config.process?.capabilities?.effective).toHaveLength(14);
  expect(config.linux?.maskedPaths).toContain("/proc/kcore");
});

test("the default filter is handed on as the very object that its program is known by", async () => {
  const { linux } = await configOf(layer);
  expect(readyProgram(linux!.seccomp!, "x86_64") !== undefined || process.arch !== "x64").toBe(true);
});

test("configurations keep the rules of the specification", async () => {
  const everything: Partial<ContainerSpec> = {
    tty: true,
    user: "bob",
    groupAdd: ["audio", "55"],
    readonlyRootfs: true,
    mounts: [
      { type: "tmpfs", target: "/t", options: ["size=1m"] },
      { type: "bind", source: "/", target: "/h", readonly: true },
    ],
    sysctls: { "net/ipv4/ip_forward": "0" },
    ulimits: [{ name: "nofile", soft: 10, hard: 20 }],
    resources: { memory: 1 << 26, memorySwap: -1, nanoCpus: 5e8, pidsLimit: 9, cpusetCpus: "0" },
    devices: [{ hostPath: "/dev/null", containerPath: "/dev/nothing", access: "r" }],
    capDrop: ["CHOWN"],
    securityOpt: ["no-new-privileges"],
    oomScoreAdj: 10,
  };
  for (const spec of [{}, everything, { privileged: true }, { network: "host", ipcMode: "none", utsMode: "host" }]) {
    const config = await configOf(layer, spec);
    const problems = findProblems(config, { vocabulary: linuxVocabulary() });
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  }
});

test("a terminal has a kind and a size", async () => {
  const config = await configOf(layer, { tty: true }, { Cmd: ["sh"] }, { consoleSize: { rows: 3, columns: 4 } });
  expect(config.process).toMatchObject({ terminal: true, consoleSize: { height: 3, width: 4 } });
  expect(config.process?.env).toContain("TERM=xterm");
});

describe("users", () => {
  test("are looked up in the container's files", async () => {
    const { process } = await configOf(layer, { user: "bob", groupAdd: ["audio", "55"] });
    expect(process?.user).toEqual({ uid: 1000, gid: 1001, additionalGids: [1001, 29, 55] });
    expect(process?.env).toContain("HOME=/home/bob");
  });

  test("that are not there are refused in docker's words", async () => {
    await expect(configOf(layer, { user: "nosuch" })).rejects.toThrow(
      "unable to find user nosuch: no matching entries in passwd file",
    );
    await expect(configOf(layer, { groupAdd: ["nosuch"] })).rejects.toThrow("unable to find group nosuch");
  });
});

describe("namespaces", () => {
  test("of the host are not made", async () => {
    const config = await configOf(layer, { network: "host", pidMode: "host", ipcMode: "host", utsMode: "host" });
    expect(config.linux?.namespaces).toEqual([{ type: "mount" }]);
    expect(config.linux?.sysctl).toEqual({});
    expect(config.hostname).toBeUndefined();
    expect(config.mounts).toContainEqual({
      destination: "/dev/shm",
      type: "bind",
      source: "/dev/shm",
      options: ["rbind", "rprivate"],
    });
  });

  test("of other containers are joined", async () => {
    const spec = { network: "container:a", pidMode: "container:a", ipcMode: "container:a" };
    const joined = { network: { pid: 7, hostname: "other" }, pid: { pid: 7 }, ipc: { pid: 7, shm: "/run/shm" } };
    const config = await configOf(layer, spec, { Cmd: ["sh"] }, { joined });
    expect(config.linux?.namespaces).toEqual([
      { type: "mount" },
      { type: "network", path: "/proc/7/ns/net" },
      { type: "uts" },
      { type: "pid", path: "/proc/7/ns/pid" },
      { type: "ipc", path: "/proc/7/ns/ipc" },
    ]);
    expect(config.hostname).toBe("other");
    await expect(configOf(layer, { pidMode: "container:a" })).rejects.toThrow("of a non running container");
  });

  test("of cgroups are private with version 2 alone", async () => {
    const types = async (spec: object, cgroups: "v1" | "v2") =>
      (await configOf(layer, spec, { Cmd: ["sh"] }, { cgroups })).linux?.namespaces?.map(({ type }) => type);
    expect(await types({}, "v1")).not.toContain("cgroup");
    expect(await types({}, "v2")).toContain("cgroup");
    expect(await types({ cgroupnsMode: "host" }, "v2")).not.toContain("cgroup");
    expect(await types({ cgroupnsMode: "private" }, "v1")).toContain("cgroup");
  });
});

describe("mounts", () => {
  const files = { resolvConf: "/c/resolv.conf", hostname: "/c/hostname", hosts: "/c/hosts" };

  test("are made by depth, the user's own instead of docker's", async () => {
    const volume = (target: string) => ({ name: "n", source: "/v", target, type: "volume", readonly: true });
    const spec: ContainerSpec = { image: "i", command: ["x"], mounts: [{ type: "tmpfs", target: "/dev/shm" }] };
    const resolved = { ...resolveProcess(spec), volumes: ["/z/y/x", "/b/c", "/etc/hosts", "/b"].map(volume) };
    const config = await configOf(layer, spec, {}, { files, resolved });
    expect(places(config)).toEqual([
      ...system.slice(0, -1),
      "/b",
      "/b/c",
      "/etc/hosts",
      "/dev/shm",
      "/etc/resolv.conf",
      "/etc/hostname",
      "/z/y/x",
    ]);
    expect(config.mounts?.find(({ destination }) => destination === "/b")?.options).toEqual(["rbind", "rro"]);
  });

  test("of a /dev of the user's own leave out what docker puts below it", async () => {
    const config = await configOf(layer, { mounts: [{ type: "tmpfs", target: "/dev" }] });
    expect(places(config)).toEqual(["/proc", "/sys", "/sys/fs/cgroup", "/dev"]);
  });

  test("in memory have docker's options before the user's", async () => {
    const config = await configOf(layer, {
      mounts: [{ type: "tmpfs", target: "/t", options: ["exec"], size: 9, mode: 0o700 }],
    });
    expect(config.mounts?.at(-1)).toEqual({
      destination: "/t",
      type: "tmpfs",
      source: "tmpfs",
      options: ["noexec", "nosuid", "nodev", "rprivate", "exec", "size=9", "mode=700"],
    });
  });

  test("that spread need a root that lets them", async () => {
    const mounts = [{ type: "volume" as const, source: "v", target: "/m", propagation: "rshared" as const }];
    expect((await configOf(layer, { mounts })).linux?.rootfsPropagation).toBe("rshared");
  });

  test("that spread need a source on a mount that lets them", () => {
    const line = (point: string, options: string) => `1 1 0:1 / ${point} rw ${options}- tmpfs tmpfs rw\n`;
    const info = line("/", "shared:1 ") + line("/tmp", "") + line("/usr", "master:1 ") + line("/private", "");
    const check = (source: string, word: "rshared" | "slave" | "rprivate") => () =>
      checkPropagation(source, word, () => info);
    expect(check("/etc", "rshared")).not.toThrow();
    expect(check("/usr/bin", "slave")).not.toThrow();
    expect(check("/tmp", "rprivate")).not.toThrow();
    expect(check("/usr/bin", "rshared")).toThrow("path /usr/bin is mounted on /usr but it is not a shared mount");
    expect(check("/tmp", "slave")).toThrow("path /tmp is mounted on /tmp but it is not a shared or slave mount");
  });

  test("of a read-only root are read-only where that hurts nobody", async () => {
    const config = await configOf(layer, { readonlyRootfs: true }, { Cmd: ["sh"] }, { files });
    const isReadonly = (place: string) =>
      config.mounts?.find(({ destination }) => destination === place)?.options?.includes("ro");
    expect(config.root?.readonly).toBe(true);
    expect(["/etc/hosts", "/sys", "/proc", "/dev/shm"].map(isReadonly)).toEqual([true, true, false, false]);
  });
});

describe("privileges", () => {
  test("of all kinds come with --privileged", async () => {
    const config = await configOf(layer, { privileged: true });
    expect(config.linux?.seccomp).toBeUndefined();
    expect(config.linux?.maskedPaths).toBeUndefined();
    expect(config.linux?.resources?.devices).toEqual([{ allow: true, access: "rwm" }]);
    expect(config.mounts?.find(({ destination }) => destination === "/sys")?.options).not.toContain("ro");
    expect(config.process?.capabilities?.bounding).toContain("CAP_CHOWN");
  });

  test("can be given one by one", async () => {
    const options = ["seccomp=unconfined", "systempaths=unconfined", "no-new-privileges:true", "label=disable"];
    const config = await configOf(layer, { securityOpt: options, capDrop: ["ALL"], capAdd: ["chown"] });
    expect(config.linux?.seccomp).toBeUndefined();
    expect(config.linux?.maskedPaths).toBeUndefined();
    expect(config.process).toMatchObject({ noNewPrivileges: true, capabilities: { bounding: ["CAP_CHOWN"] } });
  });

  test("a profile of the user's own is used", async () => {
    const profile = '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["acct"],"action":"SCMP_ACT_ERRNO"}]}';
    const config = await configOf(layer, { securityOpt: [`seccomp=${profile}`] });
    expect(config.linux?.seccomp).toMatchObject({ defaultAction: "SCMP_ACT_ALLOW" });
  });
});

test("a device that the host does not have is refused in docker's words", async () => {
  const device = (hostPath: string) =>
    configOf(layer, { devices: [{ hostPath, containerPath: "/dev/x", access: "r" }] });
  await expect(device("/dev/no-such")).rejects.toThrow(
    'error gathering device information while adding custom device "/dev/no-such": no such file or directory',
  );
  await expect(device("/etc/passwd")).rejects.toThrow('custom device "/etc/passwd": not a device node');
});

describe("an exec", () => {
  const spec: ContainerSpec = { image: "i", user: "bob", ulimits: [{ name: "core", soft: 0, hard: -1 }] };
  const input = {
    id,
    spec,
    resolved: resolveProcess(spec, { Cmd: ["sh"], Env: ["A=1"], WorkingDir: "/w" }),
    cgroups: "v1" as const,
    hostname: "h",
  };

  test("is as the container is", async () => {
    const { process, config } = await makeExecProcess({ ...input, layers: [layer.path], exec: { command: ["id"] } });
    expect(process).toMatchObject({
      args: ["id"],
      cwd: "/w",
      user: { uid: 1000 },
      rlimits: [{ type: "RLIMIT_CORE", soft: 0, hard: -1 }],
    });
    expect(process.env).toContain("HOSTNAME=h");
    expect(config.linux?.cgroupsPath).toBe(`/galley/${id}`);
    expect(config.linux?.seccomp?.defaultAction).toBe("SCMP_ACT_ERRNO");
  });

  test("may differ in user, environment, place and privileges", async () => {
    const exec = { command: ["x"], user: "1234", env: ["A=2"], workingDir: "/", tty: true, privileged: true };
    const { process } = await makeExecProcess({ ...input, layers: [layer.path], exec });
    expect(process).toMatchObject({ terminal: true, cwd: "/", user: { uid: 1234, gid: 0 } });
    expect(process.env).toEqual(expect.arrayContaining(["A=2", "TERM=xterm", "HOME=/"]));
    expect(process.capabilities?.bounding?.length).toBeGreaterThan(14);
  });
});
