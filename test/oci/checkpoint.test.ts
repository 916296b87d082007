/** checkpoint and restore through CRIU: what was in memory goes on, and what is refused leaves nothing. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { galleyProgram } from "../harness/galley.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;
/** Keeps a text in its memory alone, and writes it again once it is asked to. */
const REMEMBERS =
  "secret=$(cat /proc/sys/kernel/random/uuid); echo $secret > /first; while ! [ -e /again ]; do sleep 0.05; done; echo $secret > /second; exit 7";

/** Whether it works with this kernel CRIU says itself. */
function whyNot(): string | undefined {
  const lack = missing({ ...needs, commands: ["criu"] });
  if (lack !== undefined) return lack;
  return Bun.spawnSync(["criu", "check"]).exitCode === 0
    ? undefined
    : "needs a criu that knows this kernel: criu check";
}

const lack = whyNot();
const withCriu = (name: string, body: () => Promise<void>): void =>
  lack === undefined ? test(name, body, 120_000) : test.skip(`${name} (${lack})`, () => {});

/** Its processes have no streams that lie outside the container. */
class Checkpointed extends OciBundle {
  readonly images = this.folder.at("images");

  constructor(script = REMEMBERS) {
    super(script, { root: { path: "rootfs" } });
  }

  async quiet(...args: readonly string[]): Promise<number> {
    const command = [galleyProgram(), "runtime", "--root", this.root, ...args];
    const env = { PATH: process.env.PATH };
    return Bun.spawn(command, { cwd: this.path, env, stdio: ["ignore", "ignore", "ignore"] }).exited;
  }

  async started(): Promise<void> {
    expect(await this.quiet("run", "-d", this.id)).toBe(0);
    await this.written("first");
  }

  /** Waits until the container has written the file; returns what is in it. */
  async written(name: string): Promise<string> {
    const text = () => (existsSync(this.file(name)) ? readFileSync(this.file(name), "utf8") : "");
    while (!text().endsWith("\n")) await Bun.sleep(10);
    return text();
  }

  file(name: string): string {
    return `${this.path}/rootfs/${name}`;
  }

  cgroups(): string[] {
    const { v1, v2 } = detectCgroups();
    const hierarchies = v2 === undefined ? v1 : [...v1, v2];
    return hierarchies.map(({ mountPoint }) => `${mountPoint}/${this.id}`).filter(existsSync);
  }
}

withCriu("a container is checkpointed, is gone, and goes on where it was when it is restored", async () => {
  await using bundle = new Checkpointed();
  await bundle.started();
  await bundle.ok("checkpoint", "--image-path", bundle.images, "--work-path", bundle.folder.at("work"), bundle.id);
  expect(await bundle.ok("list", "-q")).toBe("");
  expect(bundle.cgroups()).toEqual([]);
  expect(readdirSync(bundle.images)).toContain("inventory.img");
  expect(existsSync(bundle.folder.at("work/dump.log"))).toBe(true);
  const pid = bundle.folder.at("pid");
  expect(await bundle.quiet("restore", "-d", "--image-path", bundle.images, "--pid-file", pid, bundle.id)).toBe(0);
  const state = JSON.parse(await bundle.ok("state", bundle.id));
  expect(state).toMatchObject({ status: "running", pid: Number(readFileSync(pid, "utf8")) });
  expect(bundle.cgroups()).not.toEqual([]);
  expect(await bundle.ok("exec", bundle.id, "cat", "/first")).toBe(readFileSync(bundle.file("first"), "utf8"));
  writeFileSync(bundle.file("again"), "");
  expect(await bundle.written("second")).toBe(readFileSync(bundle.file("first"), "utf8"));
  await bundle.until("stopped");
  await bundle.ok("delete", bundle.id);
  expect(bundle.cgroups()).toEqual([]);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(bundle.path);
});

withCriu("restore without --detach stays with the process and passes its status on", async () => {
  await using bundle = new Checkpointed();
  await bundle.started();
  await bundle.ok("checkpoint", "--leave-running", "--image-path", bundle.images, bundle.id);
  expect(await bundle.status()).toBe("running");
  await bundle.ok("delete", "--force", bundle.id);
  writeFileSync(bundle.file("again"), "");
  expect(await bundle.quiet("restore", "--image-path", bundle.images, bundle.id)).toBe(7);
  expect(await bundle.ok("list", "-q")).toBe("");
  expect(bundle.cgroups()).toEqual([]);
});

withCriu("a checkpoint that was tampered with is refused, and nothing is left", async () => {
  await using bundle = new Checkpointed();
  await bundle.started();
  await bundle.ok("checkpoint", "--image-path", bundle.images, bundle.id);
  writeFileSync(`${bundle.images}/descriptors.json`, '["/etc/shadow", {"fd": 7}]');
  expect((await bundle.run("restore", "-d", "--image-path", bundle.images, bundle.id)).stderr).toContain(
    "descriptors.json",
  );
  writeFileSync(`${bundle.images}/descriptors.json`, "[]");
  rmSync(`${bundle.images}/inventory.img`);
  const { status, stderr } = await bundle.run("restore", "-d", "--image-path", bundle.images, bundle.id);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/criu failed[\s\S]*restore.log has all of it/)]);
  expect(await bundle.ok("list", "-q")).toBe("");
  expect(readdirSync(bundle.root)).toEqual([]);
  expect(bundle.cgroups()).toEqual([]);
});

testWith(needs, "without criu the package to install is named; only what runs can be checkpointed", async () => {
  await using bundle = new Checkpointed("exec sleep 1000");
  await bundle.ok("create", bundle.id);
  const refused = await bundle.run("checkpoint", bundle.id);
  expect(refused.stderr).toContain("Container cannot be checkpointed in created state");
  await bundle.ok("start", bundle.id);
  const child = Bun.spawn([galleyProgram(), "runtime", "--root", bundle.root, "checkpoint", bundle.id], {
    cwd: bundle.path,
    env: { PATH: "/nonexistent:/bin:/usr/bin" },
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toContain("apt-get install -y criu");
  expect(await bundle.status()).toBe("running");
  const parent = ["checkpoint", "--image-path", bundle.images, "--parent-path"];
  expect((await bundle.run(...parent, "/absolute", bundle.id)).stderr).toContain("--parent-path must be relative");
  expect((await bundle.run(...parent, "nosuch", bundle.id)).stderr).toContain("invalid --parent-path");
  expect((await bundle.run("checkpoint", "--page-server", "here", bundle.id)).stderr).toContain("ADDRESS:PORT");
  const mode = await bundle.run("checkpoint", "--image-path", bundle.images, "--manage-cgroups-mode", "odd", bundle.id);
  expect(mode.stderr).toContain("invalid manage-cgroups-mode value");
});
