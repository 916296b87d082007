/** Session keyrings of containers and their execs, on the real kernel. */
import { expect } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { LinuxConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { makeKeyLabel } from "./key-label.ts";
import { OciBundle } from "./oci-bundle.ts";

const needs = { root: true, commands: ["gcc"], paths: ["/bin/busybox", "/proc/keys"] } as const;

function keyring(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 60_000);
}

const everybody = { containerID: 0, hostID: 100_000, size: 1000 };

/** The example in a user namespace, which has no rights on devices. */
function inUserNamespace(): LinuxConfig {
  const { namespaces = [], ...linux } = exampleConfig().linux ?? {};
  const maps = { uidMappings: [everybody], gidMappings: [everybody] };
  return { ...linux, ...maps, namespaces: [...namespaces, { type: "user" }] };
}

for (const [where, linux] of [
  ["", exampleConfig().linux ?? {}],
  [" of a user namespace", inUserNamespace()],
] as const) {
  keyring(`a container${where} has one by its name, which its execs join`, async () => {
    await using bundle = new OciBundle("key_label > /log; exec sleep 1000", {
      linux,
      root: { path: "rootfs" },
    } as object);
    makeKeyLabel(`${bundle.path}/rootfs`);
    chmodSync(bundle.folder.path, 0o755);
    const owner = (linux.uidMappings ?? []).length > 0 ? "100000:100000" : "0:0";
    Bun.spawnSync(["chown", "-R", owner, `${bundle.path}/rootfs`]);
    await bundle.ok("run", "-d", bundle.id);
    const first = await bundle.ok("exec", bundle.id, "key_label");
    expect(first).toMatch(new RegExp(`^[0-9]+ _ses\\.${bundle.id} `));
    expect(await bundle.ok("exec", bundle.id, "key_label")).toBe(first);
    const log = bundle.folder.at("bundle/rootfs/log");
    while (!existsSync(log) || readFileSync(log).length === 0) await Bun.sleep(5);
    expect(readFileSync(log, "utf8")).toBe(first);
  });
}

keyring("none is made where none is asked for", async () => {
  await using bundle = new OciBundle("key_label");
  makeKeyLabel(`${bundle.path}/rootfs`);
  const { stdout } = await bundle.run("run", "--no-new-keyring", bundle.id);
  expect(stdout).not.toContain(bundle.id);
});
