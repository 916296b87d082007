/**
 * SELinux labels for real, enforced: in the virtual machine, with a policy of the tests' own (test/vm/run --lsm selinux, test/vm/selinux.conf).
 * A container of the type `container_t` reads no file of `secret_t`, and none of categories that it has not.
 */
import { describe, expect, test } from "bun:test";
import { chmodSync, closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { getxattr } from "../../src/linux/sys/sys.ts";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { LinuxConfig } from "../../src/spec/runtime.ts";
import { patience } from "../harness/patience.ts";
import { missing } from "../harness/requirements.ts";
import { makeKeyLabel } from "./key-label.ts";
import { OciBundle } from "./oci-bundle.ts";

const LABEL = "system_u:system_r:container_t:s0:c4,c5";
const OTHER = "system_u:system_r:container_t:s0:c6";
const FILE = "system_u:object_r:container_file_t:s0:c4,c5";

function reason(): string | undefined {
  if (!existsSync("/sys/fs/selinux/enforce")) return "needs SELinux: test/vm/run --lsm selinux";
  try {
    writeFileSync("/sys/fs/selinux/context", "system_u:object_r:secret_t:s0");
  } catch {
    return "needs the policy test/vm/selinux.conf";
  }
  return missing({ root: true, commands: ["chcon", "gcc"], paths: ["/bin/busybox"] });
}

const lacking = reason();

function selinux(name: string, body: () => Promise<void>): void {
  const shown = lacking === undefined ? name : `${name} (${lacking})`;
  test.skipIf(lacking !== undefined)(shown, body, 60_000 * patience);
}

function label(path: string, context: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["chcon", context, path]);
  if (exitCode !== 0) throw new Error(`chcon: ${stderr}`);
}

/** The label that the kernel has for what is at a path of a container's. */
function labelAt(pid: number, path: string): string {
  const fd = openSync(`/proc/${pid}/root${path}`, "r");
  try {
    return new TextDecoder().decode(getxattr(fd, "security.selinux")).replace("\0", "");
  } finally {
    closeSync(fd);
  }
}

/** A bundle with a file that the type may not read, and one that the categories of {@link LABEL} may not. */
function labelled(script: string, linux: Partial<LinuxConfig> = {}, selinuxLabel?: string) {
  const bundle = new OciBundle("");
  const rootfs = `${bundle.path}/rootfs`;
  makeKeyLabel(rootfs);
  for (const [name, context] of [
    ["secret", "system_u:object_r:secret_t:s0"],
    ["others", "system_u:object_r:container_file_t:s0:c6"],
    ["own", FILE],
  ] as const) {
    writeFileSync(`${rootfs}/${name}`, `${name}\n`);
    label(`${rootfs}/${name}`, context);
  }
  const process = selinuxLabel === undefined ? {} : { selinuxLabel };
  bundle.configure(script, { process, linux: { ...exampleConfig().linux, ...linux } } as object);
  return bundle;
}

/** Its context, what it may read of three files, and its keyring's label. */
const look =
  "tr -d '\\0' < /proc/self/attr/current; echo; for f in secret others own; do cat /$f 2>/dev/null || echo no $f; done; key_label | cut -d' ' -f2-";
const seen = (bundle: OciBundle, context: string, ...files: readonly string[]) =>
  `${[context, ...files, `_ses.${bundle.id} ${context}`].join("\n")}\n`;

describe("process.selinuxLabel", () => {
  selinux("is the context of the process, of its keyring, and of each exec; the kernel keeps it to that", async () => {
    await using bundle = labelled(look, {}, LABEL);
    const confined = seen(bundle, LABEL, "no secret", "no others", "own");
    expect(await bundle.ok("run", bundle.id)).toBe(confined);
    bundle.configure("exec sleep 1000", { process: { selinuxLabel: LABEL } });
    await bundle.ok("run", "-d", bundle.id);
    expect(await bundle.ok("exec", bundle.id, "sh", "-c", look)).toBe(confined);
  });

  selinux("of an exec may be another one", async () => {
    await using bundle = labelled("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    const free = await bundle.ok("exec", bundle.id, "sh", "-c", look);
    expect(free).toStartWith("system_u:system_r:kernel_t:s0-s0:c0.c7\nsecret\nothers\nown\n");
    const [context = "", ...files] = (
      await bundle.ok("exec", "--process-label", OTHER, bundle.id, "sh", "-c", look)
    ).split("\n");
    expect([context, ...files.slice(0, 3)]).toEqual([OTHER, "no secret", "others", "no own"]);
  });

  selinux("holds in a user namespace", async () => {
    const map = [{ containerID: 0, hostID: 100_000, size: 1000 }];
    const namespaces = [...(exampleConfig().linux?.namespaces ?? []), { type: "user" as const }];
    await using bundle = labelled(look, { namespaces, uidMappings: map, gidMappings: map }, LABEL);
    chmodSync(bundle.folder.path, 0o755);
    Bun.spawnSync(["chown", "-R", "100000:100000", `${bundle.path}/rootfs`]);
    expect(await bundle.ok("run", bundle.id)).toBe(seen(bundle, LABEL, "no secret", "no others", "own"));
  });

  selinux(
    "that the policy does not know is refused by its field; one that nobody may enter by the kernel",
    async () => {
      for (const wrong of ["nonsense", "system_u:system_r:no_such_t:s0"]) {
        await using bundle = labelled("true", {}, wrong);
        const { status, stderr } = await bundle.run("run", bundle.id);
        expect(status).toBe(1);
        expect(stderr).toContain("process.selinuxLabel: write /proc/thread-self/attr/keycreate: invalid argument");
        expect(stderr).toContain("the kernel's policy has no such context");
        expect(await bundle.ok("list", "-q")).toBe("");
      }
      await using barred = labelled("true", {}, "system_u:system_r:barred_t:s0");
      const { status, stderr } = await barred.run("run", barred.id);
      expect([status, stderr]).toEqual([1, expect.stringContaining("exec sh: permission denied")]);
    },
  );
});

describe("linux.mountLabel", () => {
  selinux("is that of what is mounted for the container: file systems, message queues and masks", async () => {
    const script = "grep -c context= /proc/self/mounts; exec sleep 1000";
    await using bundle = labelled(script, { mountLabel: FILE }, LABEL);
    await bundle.ok("run", "-d", bundle.id);
    const { pid } = JSON.parse(await bundle.ok("state", bundle.id)) as { readonly pid: number };
    for (const path of ["/dev", "/dev/shm", "/dev/pts", "/dev/mqueue", "/sys/firmware"]) {
      expect([path, labelAt(pid, path)]).toEqual([path, FILE]);
    }
    expect(labelAt(pid, "/proc")).toBe("system_u:object_r:file_t:s0");
    await bundle.ok("exec", bundle.id, "sh", "-c", "echo hello > /dev/shm/file; cat /dev/shm/file");
  });
});

selinux("features says so", async () => {
  await using bundle = new OciBundle("");
  expect(JSON.parse(await bundle.ok("features")).linux.selinux).toEqual({ enabled: true });
});
