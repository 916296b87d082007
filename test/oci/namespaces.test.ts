/** Namespaces that are joined, shared with the host, or new beside those, on the real kernel. */
import { describe, expect } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { LinuxConfig, NamespaceType } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

function root(name: string, body: () => Promise<void>): void {
  testWith({ root: true, paths: ["/bin/busybox"] }, name, body, 30_000);
}

const mapping = [{ containerID: 0, hostID: 100_000, size: 1000 }];
const maps = { uidMappings: mapping, gidMappings: mapping };
const files: Readonly<Record<NamespaceType, string>> = {
  pid: "pid",
  network: "net",
  mount: "mnt",
  ipc: "ipc",
  uts: "uts",
  user: "user",
  cgroup: "cgroup",
  time: "time",
};

/** The example's settings but for its namespaces. */
function settings(): Partial<LinuxConfig> {
  const { namespaces: _, ...linux } = exampleConfig().linux ?? {};
  return linux;
}

/** The root of the user namespace may come to the container's root, which is its own. */
function open(bundle: OciBundle): OciBundle {
  Bun.spawnSync(["chown", "-R", "100000:100000", `${bundle.path}/rootfs`]);
  for (const path of [bundle.folder.path, bundle.path]) chmodSync(path, 0o711);
  return bundle;
}

async function pidOf(bundle: OciBundle): Promise<number> {
  return JSON.parse(await bundle.ok("state", bundle.id)).pid;
}

const linkOf = (pid: number, type: NamespaceType): string => readlinkSync(`/proc/${pid}/ns/${files[type]}`);

describe("namespaces of another container are joined by their paths", () => {
  root("all but its mounts, its user namespace with them; what is new belongs to that", async () => {
    const shared = ["pid", "network", "ipc", "uts", "user"] as const;
    await using target = open(new OciBundle("exec sleep 1000"));
    target.configure("exec sleep 1000", {
      root: { path: "rootfs" },
      linux: { ...settings(), ...maps, namespaces: [...shared, "mount" as const].map((type) => ({ type })) },
    });
    await target.ok("run", "-d", target.id);
    const pid = await pidOf(target);
    await using bundle = open(new OciBundle("exec sleep 1000"));
    const namespaces = shared.map((type) => ({ type, path: `/proc/${pid}/ns/${files[type]}` }));
    bundle.configure("exec sleep 1000", {
      root: { path: "rootfs" },
      linux: { ...settings(), namespaces: [...namespaces, { type: "mount" }] },
    });
    await bundle.ok("run", "-d", bundle.id);
    const own = await pidOf(bundle);
    for (const type of shared) expect(linkOf(own, type)).toBe(linkOf(pid, type));
    expect(linkOf(own, "mount")).not.toBe(linkOf(pid, "mount"));
    expect(await bundle.ok("exec", bundle.id, "cat", "/proc/self/uid_map")).toMatch(/^ +0 +100000 +1000\n$/);
    await bundle.ok("delete", "-f", bundle.id);
    expect(await target.status()).toBe("running");
  });

  root("its user namespace alone: a pid namespace of one's own is owned by it", async () => {
    await using target = open(new OciBundle(""));
    const namespaces = (["pid", "mount", "user"] as const).map((type) => ({ type }));
    target.configure("exec sleep 1000", { root: { path: "rootfs" }, mounts: [], linux: { ...maps, namespaces } });
    await target.ok("run", "-d", target.id);
    await using bundle = open(new OciBundle(""));
    const path = `/proc/${await pidOf(target)}/ns/user`;
    const joined = namespaces.map((one) => (one.type === "user" ? { ...one, path } : one));
    const mounts = [{ destination: "/proc", type: "proc", source: "proc" }];
    bundle.configure("echo $$; id -u", { root: { path: "rootfs" }, mounts, linux: { namespaces: joined } });
    expect(await bundle.ok("run", bundle.id)).toBe("1\n0\n");
  });

  root("a mount namespace: the root is what it shows there, and the host's mounts stay as they are", async () => {
    await using bundle = new OciBundle("");
    const place = `${bundle.path}/rootfs/there`;
    mkdirSync(place);
    const script = `mount -t tmpfs none ${place} && touch ${place}/seen && echo ready && exec sleep 1000`;
    const holder = Bun.spawn(["unshare", "--mount", "sh", "-c", script], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      expect((await holder.stdout.getReader().read()).value?.length).toBe("ready\n".length);
      const before = readFileSync("/proc/self/mountinfo", "utf8");
      const path = `/proc/${holder.pid}/ns/mnt`;
      const mounts = [{ destination: "/proc", type: "proc", source: "proc" }];
      const linux = { namespaces: [{ type: "mount", path }, { type: "pid" }] } as const;
      bundle.configure("ls /there; readlink /proc/self/ns/mnt", { root: { path: "rootfs" }, mounts, linux });
      expect(await bundle.ok("run", bundle.id)).toBe(`seen\n${linkOf(holder.pid, "mount")}\n`);
      expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
      expect(readdirSync(place)).toEqual([]);
    } finally {
      holder.kill("SIGKILL");
      await holder.exited;
    }
  });

  root("and a user namespace is made beside one that the host's root has joined", async () => {
    await using target = new OciBundle("exec sleep 1000");
    await target.ok("run", "-d", target.id);
    const path = `/proc/${await pidOf(target)}/ns/ipc`;
    await using bundle = open(new OciBundle(""));
    const namespaces = [{ type: "mount" }, { type: "pid" }, { type: "user" }, { type: "ipc", path }] as const;
    bundle.configure("exec sleep 1000", { root: { path: "rootfs" }, mounts: [], linux: { ...maps, namespaces } });
    await bundle.ok("run", "-d", bundle.id);
    const own = await pidOf(bundle);
    expect(linkOf(own, "ipc")).toBe(readlinkSync(path));
    expect(linkOf(own, "user")).not.toBe(readlinkSync("/proc/self/ns/user"));
  });
});

describe("the host's mount namespace", () => {
  root("has the container's mounts while it is there, and none of them afterwards", async () => {
    const before = readFileSync("/proc/self/mountinfo", "utf8");
    await using bundle = new OciBundle("");
    const linux = { namespaces: [{ type: "pid" }] } as const;
    bundle.configure("exec sleep 1000", { root: { path: "rootfs" }, linux });
    await bundle.ok("run", "-d", bundle.id);
    expect(linkOf(await pidOf(bundle), "mount")).toBe(readlinkSync("/proc/self/ns/mnt"));
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toContain("/galley-root-");
    expect(await bundle.ok("exec", bundle.id, "cat", "/etc/passwd")).toStartWith("root:");
    await bundle.ok("delete", "-f", bundle.id);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
    expect(readFileSync(`${bundle.path}/rootfs/etc/passwd`, "utf8")).toStartWith("root:");
  });

  root("is that of all hooks, too: those of the container stand in its root, which goes with it", async () => {
    const before = readFileSync("/proc/self/mountinfo", "utf8");
    await using bundle = new OciBundle("");
    const kinds = ["createRuntime", "createContainer", "startContainer", "poststart", "poststop"] as const;
    const log = bundle.folder.at("log");
    const tell = (kind: string) => {
      const script = `echo ${kind} $(readlink /proc/self/ns/mnt) $(pwd) $(ls etc/passwd) >> ${kind === "startContainer" ? "/log" : log}`;
      return { path: "/bin/sh", args: ["sh", "-c", script], env: ["PATH=/bin:/usr/bin"] };
    };
    const hooks = Object.fromEntries(kinds.map((kind) => [kind, [tell(kind)]]));
    const linux = { namespaces: [{ type: "pid" }] } as const;
    bundle.configure("cat /log", {
      root: { path: "rootfs" },
      linux,
      hooks,
      mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    });
    const own = readlinkSync("/proc/self/ns/mnt");
    expect(await bundle.ok("run", bundle.id)).toBe(`startContainer ${own} / etc/passwd\n`);
    const seen = readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(" "));
    expect(seen.map(([kind, where]) => [kind, where])).toEqual(
      kinds.filter((kind) => kind !== "startContainer").map((kind) => [kind, own]),
    );
    expect(seen.map(([, , place]) => place?.replace(/galley-root-.*/, "galley-root-"))).toEqual([
      bundle.path,
      `${bundle.temporary}/galley-root-`,
      bundle.path,
      bundle.path,
    ]);
    expect(seen[1]?.[3]).toBe("etc/passwd");
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
  });

  root("keeps nothing of a start that fails", async () => {
    const before = readFileSync("/proc/self/mountinfo", "utf8");
    await using bundle = new OciBundle("");
    bundle.configure("", { root: { path: "rootfs" }, linux: { namespaces: [] }, process: { args: ["/nothing"] } });
    expect((await bundle.run("run", bundle.id)).status).toBe(1);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
    expect(readdirSync(bundle.temporary)).toEqual([]);
  });
});

root("root need not be mapped in a user namespace", async () => {
  await using bundle = open(new OciBundle(""));
  const own = [{ containerID: 7, hostID: 100_000, size: 10 }];
  const linux = { uidMappings: own, gidMappings: own, namespaces: [{ type: "mount" }, { type: "user" }] } as const;
  const process = { user: { uid: 8, gid: 9 } };
  bundle.configure("id -u; id -g", { root: { path: "rootfs" }, mounts: [], linux, process });
  expect(await bundle.ok("run", bundle.id)).toBe("8\n9\n");
});
