import { describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { type CgroupLayout, detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { Box, needs } from "./box.ts";

const layout: CgroupLayout = detectCgroups();
const unified = layout.mode === "v2";
const it = (name: string, body: () => Promise<void>): void => testWith(needs, name, body);

/** A file of the container's directory for a controller; where v2 is alone there is one directory, and the file may have another name. */
function read(box: Box, controller: string, v1: string, v2 = v1): string {
  const all = box.cgroups().map((directory) => `${directory}/${unified ? v2 : v1}`);
  const found = all.find((path) => (unified || path.includes(`/${controller}/`)) && existsSync(path));
  if (found === undefined) throw new Error(`no ${v1} of ${controller} among ${all.join(", ")}`);
  return readFileSync(found, "utf8").trim();
}

/** The same in the container. */
const pidsMax = unified ? "/sys/fs/cgroup/pids.max" : "/sys/fs/cgroup/pids/pids.max";

describe("limits", () => {
  it("are what the kernel says", async () => {
    const resources = {
      memory: { limit: 32 * 2 ** 20 },
      pids: { limit: 17 },
      cpu: { shares: 333, quota: 20_000, period: 50_000, cpus: "0" },
      devices: [{ allow: false, access: "rwm" }],
    };
    await using box = new Box("nproc; sleep 100", { linux: { resources } });
    await box.start();
    await box.said("1\n");
    expect(read(box, "memory", "memory.limit_in_bytes", "memory.max")).toBe(String(32 * 2 ** 20));
    expect(read(box, "pids", "pids.max")).toBe("17");
    expect(read(box, "cpu", "cpu.shares", "cpu.weight")).toBe(unified ? "42" : "333");
    expect(read(box, "cpu", "cpu.cfs_quota_us", "cpu.max")).toBe(unified ? "20000 50000" : "20000");
    expect(read(box, "cpuset", "cpuset.cpus")).toBe("0");
    for (const hierarchy of unified ? [{ mountPoint: "" }] : layout.v1) {
      const procs = read(box, hierarchy.mountPoint.split("/").at(-1) ?? "", "cgroup.procs");
      expect(procs.split("\n")).toContain(String(box.pid));
    }
  });

  it("hold: a process too many is refused", async () => {
    const resources = { pids: { limit: 4 } };
    await using box = new Box("for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo done", { linux: { resources } });
    const { err } = await box.run();
    expect(err).toContain("can't fork");
  });

  it("hold: too much memory is an OOM kill, and is told", async () => {
    const resources = { memory: { limit: 8 * 2 ** 20, swap: 8 * 2 ** 20 } };
    await using box = new Box("tail /dev/zero", { linux: { resources } });
    const { code } = await box.run();
    expect(code).toBe(137);
    expect(box.status().oom).toBe("1");
  });
});

describe("the container's own view", () => {
  it("has its own cgroup, read-only", async () => {
    // Of cgroup2 all is there, as the paths in its /proc are the host's.
    const own = unified ? "/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/pids.max" : pidsMax;
    await using box = new Box(`cat ${own}; mkdir $(dirname ${own})/x; ls $(dirname ${own})`, {
      linux: { resources: { pids: { limit: 23 } } },
    });
    const { out, err } = await box.run();
    expect(out).toStartWith("23\n");
    expect(out).toContain("pids.current\n");
    expect(err).toContain("Read-only file system");
  });

  it("begins at / in a cgroup namespace of its own", async () => {
    const namespaces = (["pid", "network", "ipc", "uts", "mount", "cgroup"] as const).map((type) => ({ type }));
    await using box = new Box(`cat /proc/self/cgroup ${pidsMax}`, {
      linux: { namespaces, resources: { pids: { limit: 29 } } },
    });
    const lines = (await box.run()).out.trim().split("\n");
    expect(lines.pop()).toBe("29");
    for (const line of lines) expect(line).toEndWith(":/");
  });
});

describe("sections", () => {
  testWith(needs, "pause stops every process, resume goes on", async () => {
    await using box = new Box("i=0; while true; do i=$((i+1)); echo $i; sleep 0.01; done");
    await box.start();
    await box.said("3\n");
    const client = await box.connect();
    expect(await client.pause()).toBe(0);
    expect(box.status().state).toBe("paused");
    const before = box.output().out;
    await Bun.sleep(100);
    expect(box.output().out).toBe(before);
    expect(await client.resume()).toBe(0);
    const last = before.trim().split("\n").at(-1);
    await box.said(`${Number(last) + 2}\n`);
    expect(await client.kill(9)).toBe(0);
    expect((await box.ended()).code).toBe(137);
    client.close();
    expect(box.leftovers()).toEqual([]);
  });

  testWith(needs, "kill reaches every process, whoever their parents are", async () => {
    const namespaces = (["mount", "uts"] as const).map((type) => ({ type }));
    await using box = new Box("sh -c 'sleep 1000 & echo $!' & sleep 1000", { linux: { namespaces } });
    await box.start();
    await box.said("\n");
    const client = await box.connect();
    expect(await client.kill(9, 2)).toBe(0);
    client.close();
    await box.ended();
    expect(existsSync(`/proc/${box.output().out.trim()}/exe`)).toBe(false);
    expect(box.leftovers()).toEqual([]);
  });

  testWith(needs, "a restart runs all of it again, as often as was asked for", async () => {
    const restart = { policy: "on-failure", maxRetries: 2 } as const;
    await using box = new Box("echo run; exit 4", { restart });
    const { code, out } = await box.run();
    expect([code, out, box.status().restarts]).toEqual([4, "run\nrun\nrun\n", "2"]);
    expect(box.leftovers()).toEqual([]);
  });

  testWith(needs, "without a pid namespace the end takes along what still runs", async () => {
    const namespaces = (["mount", "uts"] as const).map((type) => ({ type }));
    await using box = new Box("sleep 1000 & echo $!; exit 5", { linux: { namespaces } });
    const { code, out } = await box.run();
    expect(code).toBe(5);
    expect(existsSync(`/proc/${out.trim()}/exe`)).toBe(false);
    expect(box.leftovers()).toEqual([]);
  });
});

testWith({ root: true }, "this machine's hierarchies are found", async () => {
  expect(missing(needs)).toBeUndefined();
  expect(layout.mode).not.toBe("none");
});
