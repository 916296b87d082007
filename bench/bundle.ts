import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busyboxEntries } from "../test/harness/fixtures.ts";
import { tar } from "../test/harness/tar.ts";
import { runtimes } from "./contestants.ts";
import { output } from "./measurement.ts";

/** Makes an OCI bundle of the image's content whose process is `true`; returns its path. Without a runtime it is not needed. */
export function makeBundle(folder: string): string {
  const rootfs = join(folder, "rootfs");
  mkdirSync(rootfs, { recursive: true });
  const archive = tar(busyboxEntries());
  const unpacked = Bun.spawnSync(["tar", "-x", "-f", "-", "-C", rootfs], { stdin: archive, stderr: "pipe" });
  if (unpacked.exitCode !== 0) throw new Error(`tar: ${unpacked.stderr}`);
  const [runtime] = runtimes();
  if (runtime !== undefined) output([runtime, "spec", "--bundle", folder]);
  const path = join(folder, "config.json");
  if (existsSync(path)) writeFileSync(path, JSON.stringify(configuration(readFileSync(path, "utf8"))));
  return folder;
}

function configuration(text: string): unknown {
  const generated = JSON.parse(text) as { process: object; root: object };
  return {
    ...generated,
    process: { ...generated.process, terminal: false, args: ["true"], env: ["PATH=/bin:/usr/bin"] },
    root: { ...generated.root, readonly: false },
  };
}
