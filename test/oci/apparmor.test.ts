/** AppArmor profiles for real: on a kernel that has it, as the virtual machine's (test/vm/run). */
import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

const needs = {
  root: true,
  paths: ["/bin/busybox", "/sys/kernel/security/apparmor/profiles", "/usr/sbin/apparmor_parser"],
} as const;

/** A profile that is in the kernel while it is in scope: everything is allowed but to read one file. */
class Profile implements Disposable {
  readonly name = `galley-test-${process.pid}`;
  readonly text =
    `profile ${this.name} flags=(attach_disconnected) { file, capability, network, mount, umount, signal, ptrace, deny /secret r, }\n`;

  constructor() {
    parse("--replace", this.text);
  }

  [Symbol.dispose](): void {
    parse("--remove", this.text);
  }
}

function parse(what: "--replace" | "--remove", text: string): void {
  const command = ["/usr/sbin/apparmor_parser", "--skip-cache", "--quiet", what];
  const { exitCode, stderr } = Bun.spawnSync(command, { stdin: Buffer.from(text) });
  if (exitCode !== 0) throw new Error(`apparmor_parser ${what}: ${stderr}`);
}

const look = "cat /proc/self/attr/current; cat /secret || echo kept";

testWith(
  needs,
  "a container's profile holds for its process and for each exec, and for no other container",
  async () => {
    using profile = new Profile();
    await using bundle = new OciBundle("");
    writeFileSync(`${bundle.path}/rootfs/secret`, "secret\n");
    const confined = `${profile.name} (enforce)\nkept\n`;
    bundle.configure(look, { process: { apparmorProfile: profile.name } });
    expect(await bundle.ok("run", bundle.id)).toBe(confined);
    bundle.configure("exec sleep 1000", { process: { apparmorProfile: profile.name } });
    await bundle.ok("run", "-d", bundle.id);
    expect(await bundle.ok("exec", bundle.id, "sh", "-c", look)).toBe(confined);
    const other = `${bundle.id}-other`;
    bundle.configure("exec sleep 1000");
    await bundle.ok("run", "-d", other);
    expect(await bundle.ok("exec", other, "sh", "-c", look)).toBe("unconfined\nsecret\n");
    expect(await bundle.ok("exec", "--apparmor", profile.name, other, "sh", "-c", look)).toBe(confined);
  },
  120_000,
);

testWith(
  needs,
  "a profile that is not loaded is refused, by its field and with what helps",
  async () => {
    await using bundle = new OciBundle("", { process: { apparmorProfile: "galley-test-none" } });
    const words = [
      "unable to apply apparmor profile: apparmor failed to apply profile: write /proc/thread-self/attr/apparmor/exec: no such file or directory",
      "process.apparmorProfile: load the profile with apparmor_parser(8); those that are loaded are in /sys/kernel/security/apparmor/profiles",
    ];
    const failed = await bundle.run("run", bundle.id);
    expect(failed.status).toBe(1);
    for (const part of words) expect(failed.stderr).toContain(part);
    bundle.configure("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    const second = await bundle.run("exec", "--apparmor", "galley-test-none", bundle.id, "true");
    expect(second.status).toBe(255);
    for (const part of words) expect(second.stderr).toContain(part);
    const features = JSON.parse(await bundle.ok("features"));
    expect(features.linux.apparmor).toEqual({ enabled: true });
  },
  120_000,
);
