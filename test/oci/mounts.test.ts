/** Mounts as bundles have them, on the real kernel. */
import { describe, expect } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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
