/** Mounts as bundles have them, on the real kernel. */
import { describe, expect } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { MountConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

function root(name: string, body: () => Promise<void>): void {
  testWith({ root: true, paths: ["/bin/busybox"] }, name, body, 30_000);
}

/** A bundle whose container has these mounts besides the usual ones. */
function bundleWith(script: string, ...mounts: readonly MountConfig[]): OciBundle {
  return new OciBundle(script, {
    root: { path: "rootfs" },
    mounts: [...(exampleConfig().mounts ?? []), ...mounts],
  });
}

const hostMounts = (): string => readFileSync("/proc/self/mountinfo", "utf8");

describe("sources and destinations", () => {
  root("a relative source is below the bundle, wherever the runtime is called from", async () => {
    await using bundle = bundleWith("cat /here/note", { destination: "here", source: "data/", options: ["bind"] });
    mkdirSync(`${bundle.path}/data`);
    writeFileSync(`${bundle.path}/data/note`, "relative\n");
    expect(await bundle.ok("run", "--bundle", `${bundle.path}/data/..`, bundle.id)).toBe("relative\n");
  });

  root("a source in the root shows what was mounted there before; the host sees nothing of it", async () => {
    await using bundle = new OciBundle("");
    const rootfs = `${bundle.path}/rootfs`;
    for (const name of ["a", "b"]) {
      mkdirSync(`${bundle.path}/${name}/below`, { recursive: true });
      writeFileSync(`${bundle.path}/${name}/file`, `${name}\n`);
    }
    bundle.configure("cat /copy/file /copy/below/file", {
      root: { path: "rootfs" },
      mounts: [
        ...(exampleConfig().mounts ?? []),
        { destination: "/mnt", source: `${bundle.path}/a`, options: ["bind"] },
        { destination: "/mnt/below", source: `${bundle.path}/b`, options: ["bind"] },
        { destination: `${rootfs}/copy`, source: `${rootfs}/mnt`, options: ["rbind"] },
      ],
    });
    const before = hostMounts();
    expect(await bundle.ok("run", bundle.id)).toBe("a\nb\n");
    expect(hostMounts()).toBe(before);
  });

  root("procfs is mounted on an ordinary directory, never through a link of the image's", async () => {
    await using bundle = bundleWith("true");
    rmSync(`${bundle.path}/rootfs/proc`, { recursive: true, force: true });
    mkdirSync(`${bundle.path}/rootfs/elsewhere`);
    symlinkSync("/elsewhere", `${bundle.path}/rootfs/proc`);
    const { status, stderr } = await bundle.run("run", bundle.id);
    expect([status, stderr]).toEqual([1, expect.stringContaining("must be mounted on ordinary directory")]);
  });
});

describe("a tmpfs", () => {
  const tmpfs = (...options: readonly string[]): MountConfig => ({ destination: "/over", type: "tmpfs", options });
  const said = async (bundle: OciBundle): Promise<string> => {
    mkdirSync(`${bundle.path}/rootfs/over`);
    chmodSync(`${bundle.path}/rootfs/over`, 0o2710);
    return bundle.ok("run", bundle.id);
  };

  root("has the mode of the directory that it covers", async () => {
    await using bundle = bundleWith("stat -c %a /over", tmpfs());
    expect(await said(bundle)).toBe("2710\n");
  });

  root("has the mode that its options say", async () => {
    await using bundle = bundleWith("stat -c %a /over", tmpfs("mode=0444"));
    expect(await said(bundle)).toBe("444\n");
  });

  root("has its own where there was no directory", async () => {
    await using bundle = bundleWith("stat -c %a /made/over", { ...tmpfs(), destination: "/made/over" });
    expect(await said(bundle)).toBe("1777\n");
  });
});

describe("mapped IDs", () => {
  const mapping = [{ containerID: 0, hostID: 100_000, size: 1000 }];
  const maps = { uidMappings: mapping, gidMappings: mapping };
  const script = "stat -c %u:%g /x/file /x/below/file";

  /** A bundle that lets go of what was mounted below its volume. */
  class MountedBundle extends OciBundle {
    override async [Symbol.asyncDispose](): Promise<void> {
      Bun.spawnSync(["umount", `${this.path}/volume/below`]);
      await super[Symbol.asyncDispose]();
    }
  }

  /** A bundle with a volume of root's, in which another is mounted. */
  function mapped(mount: Partial<MountConfig>, isUser: boolean): OciBundle {
    const bundle = new MountedBundle("");
    const { namespaces = [], ...linux } = exampleConfig().linux ?? {};
    const [volume, other] = [`${bundle.path}/volume`, `${bundle.path}/other`];
    for (const path of [`${volume}/below`, other]) mkdirSync(path, { recursive: true });
    for (const path of [volume, other]) writeFileSync(`${path}/file`, "");
    Bun.spawnSync(["mount", "--bind", other, `${volume}/below`]);
    // The container's root may come to its directory.
    for (const path of [bundle.folder.path, bundle.path]) chmodSync(path, 0o711);
    if (isUser) Bun.spawnSync(["chown", "-R", "100000:100000", `${bundle.path}/rootfs`]);
    bundle.configure(script, {
      root: { path: "rootfs" },
      mounts: [...(exampleConfig().mounts ?? []), { destination: "/x", source: "volume", ...mount }],
      linux: { ...linux, ...(isUser ? { namespaces: [...namespaces, { type: "user" }], ...maps } : { namespaces }) },
    });
    return bundle;
  }

  for (const [name, mount, isUser, shown] of [
    ["of a mount alone", { options: ["rbind"], ...maps }, false, "100000:100000\n0:0\n"],
    [
      "of a mount and those below it",
      { options: ["rbind", "ridmap"], ...maps },
      false,
      "100000:100000\n100000:100000\n",
    ],
    ["as the container's user namespace has them", { options: ["rbind", "idmap"] }, true, "0:0\n65534:65534\n"],
    ["of the mounts below too", { options: ["rbind", "ridmap"] }, true, "0:0\n0:0\n"],
  ] as const) {
    root(name, async () => {
      await using bundle = mapped(mount, isUser);
      expect(await bundle.ok("run", bundle.id)).toBe(shown);
    });
  }

  root("a source that the container's root may not reach is bound none the less", async () => {
    await using bundle = mapped({ options: ["rbind"] }, true);
    mkdirSync(`${bundle.path}/closed`, { mode: 0o700 });
    mkdirSync(`${bundle.path}/closed/inner/below`, { recursive: true });
    for (const path of ["inner", "inner/below"]) writeFileSync(`${bundle.path}/closed/${path}/file`, "");
    const config = JSON.parse(readFileSync(`${bundle.path}/config.json`, "utf8"));
    config.mounts.at(-1).source = "closed/inner";
    writeFileSync(`${bundle.path}/config.json`, JSON.stringify(config));
    expect(await bundle.ok("run", bundle.id)).toBe("65534:65534\n65534:65534\n");
  });
});

describe("a root on a mount that is shared", () => {
  /** The bundle's root as a shared mount of its own, for as long as the body takes. */
  async function shared(propagation: string | undefined, body: (bundle: OciBundle, rootfs: string) => Promise<void>) {
    await using bundle = new OciBundle("");
    const rootfs = `${bundle.path}/rootfs`;
    mkdirSync(`${rootfs}/late`);
    const linux = {
      ...exampleConfig().linux,
      ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
    };
    bundle.configure("exec sleep 1000", { root: { path: "rootfs" }, linux });
    const sh = (script: string) => expect(Bun.spawnSync(["sh", "-ec", script]).exitCode).toBe(0);
    sh(`mount --bind ${rootfs} ${rootfs}; mount --make-shared ${rootfs}`);
    try {
      await bundle.ok("run", "-d", bundle.id);
      sh(`mount -t tmpfs none ${rootfs}/late; touch ${rootfs}/late/seen`);
      await body(bundle, rootfs);
      await bundle.ok("delete", "-f", bundle.id);
    } finally {
      Bun.spawnSync(["umount", "--recursive", "--lazy", rootfs]);
    }
  }

  for (const word of [undefined, "slave", "rslave"]) {
    root(`shows what is mounted there later, and keeps its own mounts to itself: ${word ?? "as usual"}`, () =>
      shared(word, async (bundle, rootfs) => {
        expect(await bundle.ok("exec", bundle.id, "ls", "/late")).toBe("seen\n");
        expect(await bundle.ok("exec", bundle.id, "grep", " / rw[^-]* master:", "/proc/self/mountinfo")).not.toContain(
          "shared:",
        );
        expect(readdirSync(`${rootfs}/proc`)).toEqual([]);
      }),
    );
  }

  root("is cut off from it where it is to be private", () =>
    shared("private", async (bundle) => expect(await bundle.ok("exec", bundle.id, "ls", "/late")).toBe("")),
  );
});
