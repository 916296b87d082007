/** What only cgroup v2 has: containers that keep house in their own cgroup, and users who are given one. In test/vm/run. */
import { describe, expect } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { LinuxConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { type BundleOptions, OciBundle } from "./oci-bundle.ts";

const top = "/sys/fs/cgroup";
const needs = { root: true, paths: [`${top}/cgroup.controllers`, "/bin/busybox"] } as const;

function unified(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 30_000);
}

const { mounts: usual = [], linux: example } = exampleConfig(true);
const mounts = usual.map((mount) =>
  mount.type === "cgroup" ? { ...mount, options: mount.options?.filter((option) => option !== "ro") ?? [] } : mount,
);

/** Says `ready` in a file once it has moved, and goes on. */
async function moved(script: string, linux: LinuxConfig = {}): Promise<OciBundle> {
  const bundle = new OciBundle(`${script}; echo > /tmp/ready; exec sleep 1000`, {
    mounts,
    root: { path: "rootfs" },
    linux: { ...example, ...linux },
  });
  await bundle.ok("run", "-d", bundle.id);
  const ready = `${bundle.path}/rootfs/tmp/ready`;
  while (!existsSync(ready)) await Bun.sleep(5);
  return bundle;
}

const cgroupOfExec = async (bundle: OciBundle, ...flags: readonly string[]): Promise<string> =>
  (await bundle.ok("exec", ...flags, bundle.id, "cat", "/proc/self/cgroup")).trim();

describe("an exec", () => {
  unified("joins the first process where the container's own cgroup has given its controllers away", async () => {
    const script = `cd ${top}; mkdir inner; echo $$ > inner/cgroup.procs; echo +pids +memory > cgroup.subtree_control`;
    await using bundle = await moved(script);
    expect(readFileSync(`${top}/${bundle.id}/cgroup.subtree_control`, "utf8")).toBe("memory pids\n");
    expect(await cgroupOfExec(bundle)).toBe("0::/inner");
    const refused = await bundle.run("exec", "--cgroup", "/", bundle.id, "true");
    expect([refused.status, refused.stderr]).toEqual([
      255,
      expect.stringMatching(/ adding pid .* to cgroups.*evice or resource busy/),
    ]);
  });

  unified("does so too where only controllers of threads were given to a cgroup of processes", async () => {
    const script = `cd ${top}; mkdir inner; echo $$ > inner/cgroup.procs; echo +pids > cgroup.subtree_control`;
    await using bundle = await moved(script);
    expect(await cgroupOfExec(bundle)).toBe("0::/inner");
  });

  unified("stays in the container's own cgroup where those below are threaded", async () => {
    const script = [
      `cd ${top}; mkdir inner; echo threaded > inner/cgroup.type`,
      "echo +pids > cgroup.subtree_control; echo $$ > inner/cgroup.procs",
    ];
    await using bundle = await moved(script.join("; "));
    const { pid } = JSON.parse(await bundle.ok("state", bundle.id)) as { pid: number };
    expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).toBe(`0::/${bundle.id}/inner\n`);
    expect(await cgroupOfExec(bundle)).toBe("0::/");
    expect(await cgroupOfExec(bundle, "--cgroup", "inner")).toBe("0::/inner");
  });

  unified("follows a first process that has left, and its container's cgroup with it", async () => {
    await using bundle = await moved("true", { namespaces: (["pid", "mount"] as const).map((type) => ({ type })) });
    const { pid } = JSON.parse(await bundle.ok("state", bundle.id)) as { pid: number };
    const away = `${top}/${bundle.id}-away`;
    mkdirSync(away);
    writeFileSync(`${away}/cgroup.procs`, String(pid));
    rmdirSync(`${top}/${bundle.id}`);
    expect(await cgroupOfExec(bundle)).toBe(`0::/${bundle.id}-away`);
    await bundle.ok("delete", "-f", bundle.id);
    rmdirSync(away);
  });
});

unified(
  "without a cgroup namespace of its own a container sees all cgroups, and may go where it may write",
  async () => {
    const away = `${top}/galley-away-${process.pid}`;
    mkdirSync(away);
    const namespaces = (example?.namespaces ?? []).filter(({ type }) => type !== "cgroup");
    await using bundle = await moved(`echo 1 > ${away}/cgroup.procs`, { namespaces });
    const { pid } = JSON.parse(await bundle.ok("state", bundle.id)) as { pid: number };
    expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).toBe(`0::${away.slice(top.length)}\n`);
    await bundle.ok("delete", "-f", bundle.id);
    rmdirSync(away);
  },
);

describe("the cgroup of a container in a user namespace", () => {
  const first = 100_000;
  const map = [{ containerID: 0, hostID: first, size: 65_536 }];
  const own = (linux: Partial<LinuxConfig> = {}): LinuxConfig => ({
    ...example,
    namespaces: [...(example?.namespaces ?? []), { type: "user" }],
    uidMappings: map,
    gidMappings: map,
    ...linux,
  });

  /** Runs a container whose IDs are others; the root file system is theirs. */
  async function mapped(options: BundleOptions): Promise<OciBundle> {
    const bundle = new OciBundle("exec sleep 1000", { root: { path: "rootfs" }, linux: own(), ...options });
    Bun.spawnSync(["chown", "-R", `${first}:${first}`, `${bundle.path}/rootfs`]);
    for (const path of [bundle.folder.path, bundle.path]) chmodSync(path, 0o755);
    await bundle.ok("run", "-d", bundle.id);
    return bundle;
  }

  const owner = (bundle: OciBundle, file = ""): number => statSync(`${top}/${bundle.id}/${file}`).uid;

  unified("is that user's where it is mounted to be written to: it makes cgroups of its own there", async () => {
    await using bundle = await mapped({ mounts });
    expect([owner(bundle), owner(bundle, "cgroup.procs"), owner(bundle, "cgroup.subtree_control")]).toEqual([
      first,
      first,
      first,
    ]);
    expect(owner(bundle, "memory.max")).toBe(0);
    const script = `cd ${top}; mkdir inner && echo 1 > inner/cgroup.procs && cat inner/cgroup.procs`;
    expect(await bundle.ok("exec", bundle.id, "sh", "-c", script)).toBe("1\n");
    await bundle.ok("delete", "-f", bundle.id);
    expect(existsSync(`${top}/${bundle.id}`)).toBe(false);
  });

  unified("is root's where it is mounted read-only, or seen from the host's cgroup namespace", async () => {
    await using shown = await mapped({ mounts: usual });
    expect([owner(shown), owner(shown, "cgroup.procs")]).toEqual([0, 0]);
    const namespaces = own().namespaces?.filter(({ type }) => type !== "cgroup") ?? [];
    await using shared = await mapped({ mounts, linux: own({ namespaces }) });
    expect([owner(shared), owner(shared, "cgroup.procs")]).toEqual([0, 0]);
  });
});
