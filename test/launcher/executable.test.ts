import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { testWith } from "../harness/requirements.ts";
import { file, tar } from "../harness/tar.ts";

const home = join(import.meta.dir, "../..");
const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { readonly version: string };

let folder: string;
let program: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "galley-executable-"));
  program = join(folder, "bin/galley");
  const build = Bun.spawnSync([process.execPath, "run", join(home, "scripts/build.ts"), program]);
  if (build.exitCode !== 0) throw new Error(`${build.stdout}${build.stderr}`);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(cwd: string, ...args: readonly string[]) {
  const child = Bun.spawnSync([program, ...args], { cwd, env: { PATH: "/nonexistent", HOME: cwd } });
  return { status: child.exitCode, stdout: child.stdout.toString(), stderr: child.stderr.toString() };
}

test("the executable runs in an empty directory, without another program, and leaves nothing there", () => {
  const empty = join(folder, "empty");
  mkdirSync(empty);
  expect(run(empty, "--version")).toEqual({ status: 0, stdout: `galley version ${version}\n`, stderr: "" });
  expect(run(empty, "--help").stdout).toContain("galley");
  expect(readdirSync(empty)).toEqual([]);
});

test("settings of the directory that it is called in do not reach it", () => {
  const trap = join(folder, "trap");
  mkdirSync(trap);
  writeFileSync(join(trap, ".env"), "GALLEY_ROOT=/nonexistent\n");
  writeFileSync(join(trap, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  writeFileSync(join(trap, "preload.ts"), 'console.log("trapped");\n');
  writeFileSync(join(trap, "package.json"), "{ not JSON");
  writeFileSync(join(trap, "tsconfig.json"), "{ not JSON");
  expect(run(trap, "--version")).toEqual({ status: 0, stdout: `galley version ${version}\n`, stderr: "" });
});

testWith({ root: true }, "a large layer is unpacked by a thread, whose program is in the executable too", () => {
  const place = join(folder, "large");
  mkdirSync(place);
  const noise = Buffer.concat(Array.from({ length: 160 }, () => crypto.getRandomValues(new Uint8Array(1 << 16))));
  writeFileSync(join(place, "layer.tar"), tar([file("noise", noise)]));
  const store = ["--root", join(place, "root"), "--runroot", join(place, "run"), "--snapshotter", "erofs"];
  expect(run(place, ...store, "import", "layer.tar", "noise")).toMatchObject({ status: 0, stderr: "" });
  const index = new Bun.Glob("root/**/index.erofs");
  expect([...index.scanSync(place)].length).toBe(1);
});

/** The flags of the allocator's memory (proc_pid_smaps(5)), once it has any of the wanted ones: `hg` for huge pages, `nh` for none. */
async function heapFlags(pid: number, wanted: readonly string[]): Promise<readonly string[]> {
  for (;;) {
    const smaps = readFileSync(`/proc/${pid}/smaps`, "utf8");
    const heap = smaps
      .split(/^(?=[0-9a-f]+-)/m)
      .filter((area) => / rw-p /.test(area) && /^Size: +1048576 kB/m.test(area));
    const flags = heap.flatMap((area) => /^VmFlags: (.*)$/m.exec(area)?.[1]?.split(" ") ?? []);
    if (wanted.some((flag) => flags.includes(flag))) return flags;
    await Bun.sleep(5);
  }
}

const needs = { paths: ["/sys/kernel/mm/transparent_hugepage"] };
testWith(needs, "memory comes in huge pages, and no longer where there is much to do", async () => {
  const place = join(folder, "pages");
  mkdirSync(place);
  const start = (...args: readonly string[]) =>
    Bun.spawn([program, ...args], { cwd: place, env: { HOME: place }, stdio: ["pipe", "ignore", "ignore"] });
  await using asking = start("login", "--username", "somebody", "--password-stdin", "127.0.0.1:1");
  expect(await heapFlags(asking.pid, ["hg", "nh"])).toContain("hg");
  await using serving = start("registry", "serve", "--listen", "127.0.0.1:0", "--root", join(place, "registry"));
  expect(await heapFlags(serving.pid, ["nh"])).not.toContain("hg");
});

test("nothing but the two executables is left by the build", () => {
  expect(readdirSync(join(folder, "bin")).sort()).toEqual(["galley", "galley-runtime"]);
});
