/** Containers in units of a real systemd: in test/vm/run, as elsewhere there is none. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { SystemdManager } from "../../src/linux/systemd/manager.ts";
import type { LinuxConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { type BundleOptions, OciBundle } from "../oci/oci-bundle.ts";

const needs = { root: true, paths: ["/run/systemd/system", "/bin/busybox"] } as const;
const layout = detectCgroups();
const isUnified = layout.mode === "v2";

function withSystemd(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 30_000);
}

const namespaces = (["pid", "ipc", "uts", "mount", "cgroup"] as const).map((type) => ({ type }));

/** A bundle whose container is the unit `galley-ID.scope` in test-galley.slice. */
function bundleWith(script: string, linux: Partial<LinuxConfig> = {}, options: BundleOptions = {}): OciBundle {
  const bundle = new OciBundle(script);
  const cgroupsPath = `test-galley.slice:galley:${bundle.id}`;
  bundle.configure(script, { ...options, linux: { namespaces, cgroupsPath, ...linux } });
  return bundle;
}

function show(unit: string, ...names: readonly string[]): Record<string, string> {
  const { stdout } = Bun.spawnSync(["systemctl", "show", unit, ...names.map((name) => `-p${name}`)]);
  const lines = stdout.toString().trim().split("\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

/** The directory of a unit's cgroup that has a controller's files. */
function directoryOf(id: string, controller: string): string {
  const below = `test.slice/test-galley.slice/galley-${id}.scope`;
  const hierarchy = isUnified ? layout.v2 : layout.v1.find(({ controllers }) => controllers.includes(controller));
  return `${hierarchy?.mountPoint}/${below}`;
}

function limitIn(id: string, controller: string, file: string): string {
  return readFileSync(`${directoryOf(id, controller)}/${file}`, "utf8").trim();
}

describe("a container in a scope", () => {
  withSystemd("that failed stays as a failed unit until it is deleted", async () => {
    const annotations = { "org.systemd.property.RuntimeMaxSec": "10", "org.systemd.property.TimeoutStopSec": "1" };
    await using bundle = bundleWith("exec sleep 1000", {}, { annotations });
    const unit = `galley-${bundle.id}.scope`;
    await bundle.ok("--systemd-cgroup", "run", "-d", bundle.id);
    await bundle.until("stopped");
    while (show(unit, "ActiveState").ActiveState === "deactivating") await Bun.sleep(20);
    expect(show(unit, "ActiveState")).toEqual({ ActiveState: "failed" });
    await bundle.ok("delete", bundle.id);
    expect(show(unit, "LoadState")).toEqual({ LoadState: "not-found" });
  });

  withSystemd("that failed while its run was waited for is gone with it", async () => {
    const annotations = { "org.systemd.property.RuntimeMaxSec": "10", "org.systemd.property.TimeoutStopSec": "1" };
    await using bundle = bundleWith("exec sleep 1000", {}, { annotations });
    const { status } = await bundle.run("--systemd-cgroup", "run", bundle.id);
    expect(status).toBeGreaterThan(128);
    expect(show(`galley-${bundle.id}.scope`, "LoadState")).toEqual({ LoadState: "not-found" });
    expect((await bundle.run("state", bundle.id)).stderr).toContain("does not exist");
  });

  withSystemd("that is over before the container's process is in it is told, and nothing stays", async () => {
    const annotations = { "org.systemd.property.RuntimeMaxUSec": "uint64 1000" };
    await using bundle = bundleWith("exec sleep 1000", {}, { annotations });
    const unit = `galley-${bundle.id}.scope`;
    const { status, stderr } = await bundle.run("--systemd-cgroup", "create", bundle.id);
    expect(stderr).toContain(`unit ${unit} was stopped before the container was created in it`);
    expect(status).toBe(1);
    expect(show(unit, "LoadState")).toEqual({ LoadState: "not-found" });
    expect(existsSync(directoryOf(bundle.id, "memory"))).toBe(false);
    expect((await bundle.run("state", bundle.id)).stderr).toContain("does not exist");
  });

  withSystemd("that is stopped while the container is created is told, and nothing stays", async () => {
    await using bundle = bundleWith("exec sleep 1000");
    const unit = `galley-${bundle.id}.scope`;
    const annotations = { "org.systemd.property.TimeoutStopSec": "1" };
    const stop = { path: "/bin/sh", args: ["sh", "-c", `systemctl stop ${unit}`], env: [`PATH=${process.env.PATH}`] };
    const linux = { namespaces, cgroupsPath: `test-galley.slice:galley:${bundle.id}` };
    bundle.configure("exec sleep 1000", { annotations, linux, hooks: { createRuntime: [stop] } });
    const { status, stderr } = await bundle.run("--systemd-cgroup", "create", bundle.id);
    expect(stderr).toContain(`unit ${unit} was stopped before the container was created in it`);
    expect(status).toBe(1);
    expect(show(unit, "LoadState")).toEqual({ LoadState: "not-found" });
    expect(existsSync(directoryOf(bundle.id, "memory"))).toBe(false);
  });

  withSystemd("is a unit from its creation to its end", async () => {
    await using bundle = bundleWith("exec sleep 1000");
    const unit = `galley-${bundle.id}.scope`;
    await bundle.ok("--systemd-cgroup", "create", bundle.id);
    const names = ["ActiveState", "Slice", "Delegate", "Transient", "DefaultDependencies", "Description"];
    expect(show(unit, ...names)).toEqual({
      ActiveState: "active",
      Slice: "test-galley.slice",
      Delegate: "yes",
      Transient: "yes",
      DefaultDependencies: "no",
      Description: `container ${bundle.id}`,
    });
    await bundle.ok("start", bundle.id);
    const { pid } = JSON.parse(await bundle.ok("state", bundle.id)) as { pid: number };
    const name = isUnified ? "0::" : "name=systemd:";
    const line = readFileSync(`/proc/${pid}/cgroup`, "utf8")
      .split("\n")
      .find((one) => one.includes(name));
    expect(line).toEndWith(`/test.slice/test-galley.slice/${unit}`);
    expect(JSON.parse(await bundle.ok("ps", "-f", "json", bundle.id))).toEqual([pid]);
    await bundle.ok("pause", bundle.id);
    expect(await bundle.status()).toBe("paused");
    await bundle.ok("resume", bundle.id);
    expect((await bundle.run("exec", bundle.id, "sh", "-c", "exit 3")).status).toBe(3);
    await bundle.ok("delete", "-f", bundle.id);
    expect(show(unit, "ActiveState", "LoadState")).toEqual({ ActiveState: "inactive", LoadState: "not-found" });
    expect(existsSync(directoryOf(bundle.id, "memory"))).toBe(false);
  });

  withSystemd("has its limits in the unit and in the cgroup, and gets others", async () => {
    const resources = {
      memory: { limit: 64 * 2 ** 20 },
      cpu: { shares: 512, quota: 12_345, period: 100_000, cpus: "0" },
      pids: { limit: 20 },
    };
    await using bundle = bundleWith("exec sleep 1000", { resources });
    const unit = `galley-${bundle.id}.scope`;
    await bundle.ok("--systemd-cgroup", "run", "-d", bundle.id);
    const memory = isUnified ? "MemoryMax" : "MemoryLimit";
    expect(show(unit, memory, "TasksMax", "CPUQuotaPerSecUSec", "AllowedCPUs")).toEqual({
      [memory]: String(64 * 2 ** 20),
      TasksMax: "20",
      CPUQuotaPerSecUSec: "130ms",
      AllowedCPUs: "0",
    });
    expect(limitIn(bundle.id, "pids", "pids.max")).toBe("20");
    expect(limitIn(bundle.id, "cpu", isUnified ? "cpu.max" : "cpu.cfs_quota_us")).toStartWith("13000");
    const args = ["--pids-limit", "30", "--memory", "32M", "--cpu-quota", "50000"];
    await bundle.ok("update", ...args, bundle.id);
    expect(show(unit, memory, "TasksMax", "CPUQuotaPerSecUSec")).toEqual({
      [memory]: String(32 * 2 ** 20),
      TasksMax: "30",
      CPUQuotaPerSecUSec: "500ms",
    });
    expect(limitIn(bundle.id, "pids", "pids.max")).toBe("30");
    expect(limitIn(bundle.id, "memory", isUnified ? "memory.max" : "memory.limit_in_bytes")).toBe(String(32 * 2 ** 20));
    Bun.spawnSync(["systemctl", "daemon-reload"]);
    expect(limitIn(bundle.id, "pids", "pids.max")).toBe("30");
  });

  withSystemd("is runc's where no path names it", async () => {
    await using bundle = bundleWith("exec sleep 1000", { cgroupsPath: "" });
    await bundle.ok("--systemd-cgroup", "run", "-d", bundle.id);
    const unit = `runc-${bundle.id}.scope`;
    expect(show(unit, "ActiveState", "Slice")).toEqual({ ActiveState: "active", Slice: "system.slice" });
    await bundle.ok("delete", "-f", bundle.id);
    expect(show(unit, "LoadState")).toEqual({ LoadState: "not-found" });
  });

  withSystemd("keeps what systemd cannot say, and loses its limit of swap with that of memory", async () => {
    const memory = { limit: 64 * 2 ** 20, swap: 96 * 2 ** 20 };
    await using bundle = bundleWith("exec sleep 1000", {
      resources: { memory, cpu: { period: 1_000_000 }, pids: { limit: 20 } },
    });
    await bundle.ok("--systemd-cgroup", "run", "-d", bundle.id);
    const period = isUnified ? "cpu.max" : "cpu.cfs_period_us";
    expect(limitIn(bundle.id, "cpu", period)).toBe(isUnified ? "max 1000000" : "1000000");
    if (!isUnified) return;
    expect(show(`galley-${bundle.id}.scope`, "MemorySwapMax")).toEqual({ MemorySwapMax: String(32 * 2 ** 20) });
    await bundle.ok("update", "--memory", "-1", bundle.id);
    expect(show(`galley-${bundle.id}.scope`, "MemorySwapMax")).toEqual({ MemorySwapMax: "infinity" });
  });

  withSystemd("may become idle, and has a weight again", async () => {
    if (!isUnified) return;
    await using bundle = bundleWith("exec sleep 1000");
    await bundle.ok("--systemd-cgroup", "run", "-d", bundle.id);
    const { stderr } = await bundle.run("update", "--cpu-share", "200", "--cpu-idle", "1", bundle.id);
    expect(stderr).toContain("unable to apply both CPUWeight and CpuIdle to systemd, ignoring CPUWeight");
    expect(limitIn(bundle.id, "cpu", "cpu.idle")).toBe("1");
    await bundle.ok("update", "--cpu-share", "200", bundle.id);
    expect(limitIn(bundle.id, "cpu", "cpu.idle")).toBe("0");
  });

  withSystemd("may have a limit of one process", async () => {
    await using bundle = bundleWith("echo alone; true | true", { resources: { pids: { limit: 1 } } });
    const { stdout, stderr } = await bundle.run("--systemd-cgroup", "run", bundle.id);
    expect(stdout).toBe("alone\n");
    expect(stderr).toContain("can't fork");
    // Nobody stops the unit: systemd sees that it is empty, and lets go of it.
    while (show(`galley-${bundle.id}.scope`, "LoadState").LoadState !== "not-found") await Bun.sleep(20);
  });

  withSystemd("is let go of by systemd, however soon it ends", async () => {
    for (let round = 0; round < 5; round++) {
      await using bundle = bundleWith("true");
      expect((await bundle.run("--systemd-cgroup", "run", bundle.id)).status).toBe(0);
      while (show(`galley-${bundle.id}.scope`, "LoadState").LoadState !== "not-found") await Bun.sleep(20);
      expect(existsSync(directoryOf(bundle.id, "memory"))).toBe(false);
    }
  });

  withSystemd("has the properties of its annotations; a wrong one is told with its unit", async () => {
    const annotations = {
      "org.systemd.property.TimeoutStopSec": "uint32 7",
      "org.systemd.property.CollectMode": "'inactive'",
    };
    await using bundle = bundleWith("exec sleep 1000", {}, { annotations });
    const unit = `galley-${bundle.id}.scope`;
    await bundle.ok("--systemd-cgroup", "run", "-d", bundle.id);
    expect(show(unit, "TimeoutStopUSec", "CollectMode")).toEqual({ TimeoutStopUSec: "7s", CollectMode: "inactive" });
    await bundle.ok("delete", "-f", bundle.id);
    const wrong = { "org.systemd.property.NoSuchThing": "true" };
    bundle.configure("true", { annotations: wrong, linux: { namespaces, cgroupsPath: `:galley:${bundle.id}` } });
    expect((await bundle.run("--systemd-cgroup", "run", bundle.id)).stderr).toContain(`unable to start unit ${unit}`);
    expect(show(unit, "LoadState")).toEqual({ LoadState: "not-found" });
  });

  withSystemd("that cannot be made leaves no unit; a name is taken once", async () => {
    await using bundle = bundleWith("exec sleep 1000", {}, { process: { args: ["/nosuch"] } });
    const unit = `galley-${bundle.id}.scope`;
    expect((await bundle.run("--systemd-cgroup", "create", bundle.id)).stderr).toContain("/nosuch");
    expect(show(unit, "LoadState")).toEqual({ LoadState: "not-found" });
    bundle.configure("sleep 1000", { linux: { namespaces, cgroupsPath: `test-galley.slice:galley:${bundle.id}` } });
    await bundle.ok("--systemd-cgroup", "run", "-d", bundle.id);
    expect((await bundle.run("--systemd-cgroup", "create", "other")).stderr).toContain("cgroup is not empty");
    expect(await bundle.status()).toBe("running");
  });

  withSystemd("may use its devices alone, also others later and after systemd was reloaded", async () => {
    const devices = [{ path: "/dev/kmsg", type: "c", major: 1, minor: 11, fileMode: 0o666 }] as const;
    await using bundle = bundleWith(
      "exec sleep 1000",
      { devices, resources: { devices: [{ allow: false, access: "rwm" }] } },
      {
        root: { path: "rootfs" },
      },
    );
    await bundle.ok("--systemd-cgroup", "run", "-d", bundle.id);
    // To read it would take a capability besides.
    const mayWrite = async () => (await bundle.run("exec", bundle.id, "sh", "-c", ": > /dev/kmsg")).status === 0;
    expect(await mayWrite()).toBe(false);
    const file = bundle.folder.at("resources.json");
    const rules = [
      { allow: false, access: "rwm" },
      { allow: true, type: "c", major: 1, minor: 11, access: "rw" },
    ];
    await Bun.write(file, JSON.stringify({ devices: rules }));
    await bundle.ok("update", "-r", file, bundle.id);
    expect(await mayWrite()).toBe(true);
    Bun.spawnSync(["systemctl", "daemon-reload"]);
    expect(await mayWrite()).toBe(true);
    await Bun.write(file, JSON.stringify({ devices: rules.slice(0, 1) }));
    await bundle.ok("update", "-r", file, bundle.id);
    expect(await mayWrite()).toBe(false);
  });
});

describe("the manager", () => {
  withSystemd("answers on its own socket, and says what it refuses", async () => {
    using manager = await SystemdManager.open(false);
    expect(await manager.version()).toBeGreaterThan(200);
    await manager.stopUnit("galley-nosuch.scope");
    const empty = manager.startUnit("galley-nosuch.scope", []);
    expect(empty).rejects.toThrow("unable to start unit galley-nosuch.scope: ");
    await empty.catch(() => {});
  });

  test("is not there where nobody listens", () => {
    const env = { XDG_RUNTIME_DIR: "/nosuch", DBUS_SESSION_BUS_ADDRESS: "unix:path=/nosuch/bus" };
    expect(SystemdManager.open(true, env)).rejects.toThrow("nobody listens at the D-Bus socket");
  });
});
