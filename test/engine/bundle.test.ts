/** Configurations that the engine makes of what users ask for, tried in containers. */
import { afterEach, describe, expect } from "bun:test";
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import {
  checkSpec,
  makeConfig,
  makeExecProcess,
  requestedMounts,
  resolveProcess,
} from "../../src/engine/bundle/bundle.ts";
import { parseMount, parseTmpfs, parseVolume } from "../../src/engine/options/parsers.ts";
import type { ContainerSpec } from "../../src/engine/types.ts";
import { topOf } from "../../src/engine/views/top.ts";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import type { RuntimeConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { Scratch } from "../native/program.ts";
import { Box, needs } from "../runtime/box.ts";

const it = (name: string, body: () => Promise<void>): void => testWith(needs, name, body);
const id = `0123456789ab${process.pid}`.padEnd(64, "f");
const parent = "/galley-runtime-test";

const folders: Scratch[] = [];
function scratch(): Scratch {
  const folder = new Scratch();
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) folder[Symbol.dispose]();
});

interface Asked extends Partial<ContainerSpec> {
  readonly script: string;
}

/** What a start is made from: an image with a user, and binds that need no volume. */
async function configOf({
  script,
  ...asked
}: Asked): Promise<{ readonly config: RuntimeConfig; readonly spec: ContainerSpec; readonly layer: string }> {
  const layer = scratch();
  mkdirSync(layer.at("etc"));
  writeFileSync(layer.at("etc/passwd"), "root:x:0:0::/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n");
  writeFileSync(layer.at("etc/group"), "audio:x:29:bob\nextra:x:77:\n");
  const { spec } = await checkSpec({ image: "i", command: ["sh", "-c", script], cgroupParent: parent, ...asked });
  const image = { Env: ["PATH=/bin"] };
  const volumes = requestedMounts(spec, image).flatMap(({ type, source = "", target, readonly }) =>
    type === "tmpfs" ? [] : [{ type, source, target, readonly: readonly === true }],
  );
  const resolved = { ...resolveProcess(spec, image), volumes };
  const cgroups = detectCgroups().mode;
  return {
    config: await makeConfig({ id, spec, resolved, layers: [layer.path], cgroups, files: {} }),
    spec,
    layer: layer.path,
  };
}

/** Nothing of it is the box's but its root. */
function boxOf(config: RuntimeConfig): Box {
  return new Box([], { input: { config } });
}

async function run(asked: Asked): Promise<string[]> {
  const { config } = await configOf(asked);
  await using box = boxOf(config);
  const { code, out, err } = await box.run();
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(box.leftovers()).toEqual([]);
  return out.trimEnd().split("\n");
}

describe("a plain container", () => {
  it("is what docker makes", async () => {
    const [hostname, path, home, groups, ...rest] = await run({
      script: `hostname; echo $PATH; echo $HOME; id; grep -E 'CapEff|NoNewPrivs|^Seccomp:' /proc/self/status;
        cat /proc/sys/net/ipv4/ip_unprivileged_port_start; while read _ place _; do echo $place; done < /proc/mounts; ls /dev`,
    });
    expect([hostname, path, home]).toEqual(["0123456789ab", "/bin", "/root"]);
    expect(groups).toBe("uid=0(root) gid=0 groups=0");
    expect(rest.slice(0, 4)).toEqual(["CapEff:\t00000000a80425fb", "NoNewPrivs:\t0", "Seccomp:\t2", "0"]);
    for (const place of ["/dev/mqueue", "/dev/shm", "/sys/fs/cgroup", "/proc/acpi", "/proc/sys"])
      expect(rest).toContain(place);
    for (const node of ["null", "tty", "stdout", "ptmx", "full"]) expect(rest).toContain(node);
  });
});

describe("what is asked for holds", () => {
  it("of users and groups", async () => {
    const [ids, home, effective] = await run({
      script: "id; echo $HOME; grep CapEff /proc/self/status",
      user: "bob",
      groupAdd: ["extra", "99"],
    });
    expect(ids).toBe("uid=1000(bob) gid=1001 groups=29(audio),77(extra),99,1001".replace(/\((bob|audio|extra)\)/g, ""));
    expect([home, effective]).toEqual(["/home/bob", "CapEff:\t0000000000000000"]);
  });

  it("of privileges taken and given", async () => {
    const [effective, guarded, filter] = await run({
      script: "grep -E 'CapEff|NoNewPrivs|^Seccomp:' /proc/self/status",
      capDrop: ["ALL"],
      capAdd: ["NET_ADMIN"],
      securityOpt: ["no-new-privileges", "seccomp=unconfined"],
    });
    expect([effective, guarded, filter]).toEqual(["CapEff:\t0000000000001000", "NoNewPrivs:\t1", "Seccomp:\t0"]);
  });

  it("of limits and sysctls", async () => {
    const [files, forward, message, score] = await run({
      script: "ulimit -n; cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/self/oom_score_adj",
      ulimits: [{ name: "nofile", soft: 100, hard: 200 }],
      sysctls: { "net.ipv4.ip_forward": "1", "kernel.msgmax": "9000" },
      oomScoreAdj: 500,
      resources: { memory: 32 << 20, nanoCpus: 5e8, pidsLimit: 50 },
    });
    expect([files, forward, message, score]).toEqual(["100", "1", "9000", "500"]);
  });

  it("of mounts, their options and order", async () => {
    const folder = scratch();
    mkdirSync(folder.at("outer"));
    mkdirSync(folder.at("inner"));
    writeFileSync(folder.at("inner/file"), "inside");
    const lines = await run({
      script: `cat /b/c/file; echo; touch /b/c/no 2>&1; touch /b/yes && echo written; stat -c %a /t;
        grep -E ' /(t|m|dev/shm) ' /proc/mounts | cut -d' ' -f2-4`,
      shmSize: 1 << 20,
      mounts: [
        parseVolume(`${folder.at("inner")}:/b/c:ro`),
        parseVolume(`${folder.at("outer")}:/b`),
        parseTmpfs("/t:exec,size=2m,mode=1770"),
        parseMount("type=tmpfs,dst=/m,tmpfs-size=1m,readonly"),
      ],
    });
    expect(lines.slice(0, 4)).toEqual(["inside", "touch: /b/c/no: Read-only file system", "written", "1770"]);
    expect(lines).toContain("/t tmpfs rw,nosuid,nodev,relatime,size=2048k,mode=1770");
    expect(lines.find((line) => line.startsWith("/m "))).toStartWith(
      "/m tmpfs ro,nosuid,nodev,noexec,relatime,size=1024k",
    );
    expect(lines.find((line) => line.startsWith("/dev/shm "))).toStartWith(
      "/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k",
    );
    expect(readdirSync(folder.at("outer")).sort()).toEqual(["c", "yes"]);
  });

  it("of a root that is only read", async () => {
    const [write, shm] = await run({
      script: "touch /no 2>&1; touch /dev/shm/yes /dev/yes && echo written",
      readonlyRootfs: true,
    });
    expect([write, shm]).toEqual(["touch: /no: Read-only file system", "written"]);
  });

  it("of devices and the right to use them", async () => {
    const lines = await run({
      script: `stat -c '%F %t:%T' /dev/nothing; cat /dev/nothing 2>/dev/null || echo refused
        mknod /tmp/kmsg c 1 11; cat /tmp/kmsg 2>/dev/null || echo refused`,
      devices: [{ hostPath: "/dev/kmsg", containerPath: "/dev/nothing", access: "m" }],
    });
    expect(lines[0]).toBe("character special file 1:b");
    expect(lines.slice(1)).toEqual(["refused", "refused"]);
  });

  it("of the host's namespaces", async () => {
    const { config } = await configOf({
      script: "echo up; sleep 100",
      network: "host",
      pidMode: "host",
      ipcMode: "host",
      utsMode: "host",
    });
    await using box = boxOf(config);
    await box.start();
    await box.said("up");
    for (const type of ["net", "pid", "ipc", "uts"]) {
      expect(readlinkSync(`/proc/${box.pid}/ns/${type}`)).toBe(readlinkSync(`/proc/self/ns/${type}`));
    }
  });

  it("of everything, with --privileged", async () => {
    const [filter, masked, write, nodes] = await run({
      script: `grep ^Seccomp: /proc/self/status; grep -c ' /proc/' /proc/mounts; touch /sys/fs/cgroup 2>&1; echo $?; ls /dev | grep -c .`,
      privileged: true,
    });
    expect([filter, masked]).toEqual(["Seccomp:\t0", "0"]);
    expect(write).toBe("0");
    expect(Number(nodes)).toBeGreaterThan(10);
  });
});

describe("a running container", () => {
  it("takes more processes, and shows them all", async () => {
    const { config, spec, layer } = await configOf({ script: "echo up; sleep 100; true" });
    // The box adds processes to its own configuration, which is a plain one like this.
    await using box = new Box(config.process?.args ?? [], { hostname: "0123456789ab" });
    await box.start();
    await box.said("up");
    const { process } = await makeExecProcess({
      id,
      spec,
      resolved: resolveProcess(spec, { Env: ["PATH=/bin"] }),
      layers: [layer],
      cgroups: detectCgroups().mode,
      hostname: "0123456789ab",
      exec: { command: ["sh", "-c", "id -u; echo $A $HOSTNAME; pwd"], user: "bob", env: ["A=1"], workingDir: "/tmp" },
    });
    expect(await box.exec(process.args, process)).toMatchObject({ code: 0, out: "1000\n1 0123456789ab\n/tmp\n" });
    const { titles, processes } = topOf({ cgroupPath: `${parent}/${box.name}`, pid: box.pid });
    expect(titles).toEqual("UID PID PPID C STIME TTY TIME CMD".split(" "));
    expect(processes.map((cells) => [cells[0], cells[5], cells[7]])).toEqual([
      ["root", "?", "sh -c echo up; sleep 100; true"],
      ["root", "?", "sleep 100"],
    ]);
    expect(processes[1]?.[2]).toBe(processes[0]?.[1]);
  });
});
