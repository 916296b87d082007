/** linux.netDevices on the real kernel, with pairs of virtual interfaces: what goes with its namespace takes the other end along. */
import { describe, expect } from "bun:test";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { LinuxConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

function root(name: string, body: () => Promise<void>): void {
  testWith({ root: true, paths: ["/bin/busybox"], commands: ["ip"] }, name, body, 30_000);
}

let count = 0;

/** A pair of the host's, both ends of which go with the scope. */
class Pair implements Disposable {
  readonly name = `gl${process.pid % 100_000}a${++count}`;
  readonly other = `gl${process.pid % 100_000}b${count}`;

  constructor() {
    this.ip("link", "add", this.name, "type", "veth", "peer", "name", this.other);
  }

  ip(...args: readonly string[]): void {
    const { exitCode, stderr } = Bun.spawnSync(["ip", ...args]);
    if (exitCode !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
  }

  isHere(): boolean {
    return Bun.spawnSync(["ip", "link", "show", this.name]).exitCode === 0;
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["ip", "link", "del", this.other]);
  }
}

function bundleWith(script: string, part: Partial<LinuxConfig>): OciBundle {
  return new OciBundle(script, { root: { path: "rootfs" }, linux: { ...exampleConfig().linux, ...part } });
}

describe("an interface of the host", () => {
  root("moves under another name, is up, and keeps its global addresses, hardware address and MTU", async () => {
    using pair = new Pair();
    pair.ip("link", "set", pair.name, "mtu", "1789", "address", "00:11:22:33:44:55");
    pair.ip("address", "add", "169.254.169.77/32", "dev", pair.name);
    pair.ip("address", "add", "127.0.0.33", "dev", pair.name);
    await using bundle = bundleWith("ip address show dev inner", { netDevices: { [pair.name]: { name: "inner" } } });
    const shown = await bundle.ok("run", bundle.id);
    expect(shown).toMatch(/inner.*<.*UP.*> mtu 1789/);
    expect(shown).toContain("00:11:22:33:44:55");
    expect(shown).toContain("inet 169.254.169.77/32");
    expect(shown).not.toContain("127.0.0.33");
  });

  root("moves into a namespace that is joined, and stays there", async () => {
    await using holder = new OciBundle("exec sleep 1000");
    await holder.ok("run", "-d", holder.id);
    const { pid } = JSON.parse(await holder.ok("state", holder.id));
    using pair = new Pair();
    const { namespaces = [] } = exampleConfig().linux ?? {};
    await using bundle = bundleWith("true", {
      netDevices: { [pair.name]: {} },
      namespaces: namespaces.map((one) => (one.type === "network" ? { ...one, path: `/proc/${pid}/ns/net` } : one)),
    });
    await bundle.ok("run", bundle.id);
    expect(pair.isHere()).toBeFalse();
    expect(await holder.ok("exec", holder.id, "ip", "link", "show", pair.name)).toContain("UP");
  });

  root("that is not there is named", async () => {
    await using bundle = bundleWith("true", { netDevices: { nosuch0: {} } });
    expect((await bundle.run("run", bundle.id)).stderr).toContain("linux.netDevices[nosuch0]");
  });
});
