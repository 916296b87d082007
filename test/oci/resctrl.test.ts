/**
 * `linux.intelRdt`: real containers in groups of a resctrl that is a stand-in (resctrl-stand-in.ts), as hardly any test machine has one. The
 * runtime finds it where it finds the kernel's own: a file lies over its /proc/self/mountinfo that names it.
 */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { IntelRdtConfig, RuntimeConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { Scratch } from "../native/program.ts";
import { OciBundle } from "./oci-bundle.ts";

const needs = {
  root: true,
  commands: ["unshare", "nsenter"],
  paths: ["/bin/busybox", "/dev/fuse", "/proc/self/ns/mnt"],
} as const;

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 60_000);
}

const folder = new Scratch();
const point = folder.at("resctrl");
let standIn: Bun.Subprocess | undefined;

beforeAll(async () => {
  mkdirSync(point);
  const program = [process.execPath, join(import.meta.dir, "resctrl-stand-in.ts"), point];
  standIn = Bun.spawn(["unshare", "--mount", "--propagation", "private", ...program], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  while (!existsSync(`${point}.ready`) && standIn.exitCode === null) await Bun.sleep(5);
});

afterAll(async () => {
  standIn?.kill();
  await standIn?.exited;
  folder[Symbol.dispose]();
});

/** A file of the stand-in, or a directory's names, as they are in its mount namespace. */
const seen = (path: string) => `/proc/${standIn?.pid}/root${point}/${path}`;
const read = (path: string) => readFileSync(seen(path), "utf8");
const groups = () => readdirSync(seen("")).filter((name) => !["info", "tasks", "schemata"].includes(name));
const none = ["mon_data", "mon_groups"];

const COVER = `
{ grep -v " - resctrl " /proc/self/mountinfo; echo "$2"; } > "$0.mountinfo.$$"
mount --bind "$0.mountinfo.$$" /proc/$$/mountinfo && cd "$1" && shift 2 && exec "$@"`;

const MOUNTED = `999 1 0:99 / ${point} rw - resctrl resctrl rw`;

function bundleWith(
  intelRdt: IntelRdtConfig | undefined,
  script = "exec sleep 1000",
  more: Partial<RuntimeConfig> = {},
  mounted = MOUNTED,
) {
  const { linux } = exampleConfig();
  const bundle = new OciBundle(script, { ...more, linux: { ...linux, ...(intelRdt && { intelRdt }) } } as object);
  const enter = ["nsenter", `--mount=/proc/${standIn?.pid}/ns/mnt`, "unshare", "--mount", "--propagation", "private"];
  bundle.through = [...enter, "sh", "-c", COVER, point, bundle.path, mounted];
  return bundle;
}

async function pidOf(bundle: OciBundle): Promise<number> {
  return (JSON.parse(await bundle.ok("state", bundle.id)) as { readonly pid: number }).pid;
}

const pids = (path: string) => read(`${path}/tasks`).split("\n").filter(Boolean).map(Number);

/** What a creation says that is refused, which leaves neither a group nor a container. */
async function refused(bundle: OciBundle): Promise<string> {
  const before = groups();
  const { status, stderr } = await bundle.run("create", bundle.id);
  expect(status).toBe(1);
  expect(groups()).toEqual(before);
  expect((await bundle.run("state", bundle.id)).stderr).toContain("container does not exist");
  return stderr;
}

describe("a container's class of service", () => {
  root("is made by its ID, has its schemata before its process, execs too, and goes with it", async () => {
    await using bundle = bundleWith({ l3CacheSchema: "L3:0=0f;1=0f", memBwSchema: "MB:0=25;1=25" });
    await bundle.ok("create", bundle.id);
    const pid = await pidOf(bundle);
    expect(pids(bundle.id)).toEqual([pid]);
    expect(read(`${bundle.id}/schemata`)).toBe("    L3:0=f;1=f\n    MB:0=30;1=30\n");
    await bundle.ok("start", bundle.id);
    await bundle.ok("exec", "-d", bundle.id, "sleep", "999");
    const inside = JSON.parse(await bundle.ok("ps", "-f", "json", bundle.id)) as number[];
    expect(pids(bundle.id).toSorted()).toEqual(inside.toSorted());
    expect(inside).toHaveLength(2);
    await bundle.ok("delete", "-f", bundle.id);
    expect(groups()).toEqual(none);
  });

  root("is written line by line: of two values the last one holds", async () => {
    await using bundle = bundleWith({ l3CacheSchema: "L3:0=1;1=1", schemata: ["MB:0=50;1=50", "L3:0=3;1=3"] });
    await bundle.ok("run", "-d", bundle.id);
    expect(read(`${bundle.id}/schemata`)).toBe("    L3:0=3;1=3\n    MB:0=50;1=50\n");
  });

  root("is counted by a group of its own, which goes with it, in a class that stays", async () => {
    await using bundle = bundleWith({ closID: "/", enableMonitoring: true });
    await bundle.ok("create", bundle.id);
    const monitor = `mon_groups/${bundle.id}`;
    expect(pids(monitor)).toEqual([await pidOf(bundle)]);
    await bundle.ok("start", bundle.id);
    await bundle.ok("exec", "-d", bundle.id, "sleep", "999");
    expect(pids(monitor)).toHaveLength(2);
    await bundle.ok("delete", "-f", bundle.id);
    expect([readdirSync(seen("mon_groups")), groups()]).toEqual([[], none]);
  });

  root("that is named is shared by who wants the same of it, and outlives them", async () => {
    await using first = bundleWith({ closID: "gold", schemata: ["L3:0=ff;1=ff", "MB:0=45;1=45"] });
    await using second = bundleWith({ closID: "gold", memBwSchema: "MB:1=50;0=0050", enableMonitoring: true });
    await using third = bundleWith({ closID: "gold" });
    const all = [first, second, third];
    for (const bundle of all) await bundle.ok("run", "-d", bundle.id);
    expect(pids("gold").toSorted()).toEqual((await Promise.all(all.map(pidOf))).toSorted());
    await using other = bundleWith({ closID: "gold", l3CacheSchema: "L3:0=ff;1=f" });
    expect(await refused(other)).toMatch(
      /linux\.intelRdt\.closID: .*\/gold is there already with other schemata: it has L3:0=ff;1=ff MB:0=50;1=50, and not L3:1=f/,
    );
    for (const bundle of all) await bundle.ok("delete", "-f", bundle.id);
    expect([groups(), readdirSync(seen("gold/mon_groups"))]).toEqual([[...none, "gold"], []]);
    // As an administrator does.
    Bun.spawnSync(["rmdir", seen("gold")]);
  });

  root("is told by events, with what it has used", async () => {
    await using bundle = bundleWith({ schemata: ["L3:0=7;1=7"], enableMonitoring: true });
    await bundle.ok("run", "-d", bundle.id);
    const text = await bundle.ok("events", "--stats", bundle.id);
    expect(JSON.parse(text).data.intel_rdt).toEqual({
      l3_cache_info: { cbm_mask: "fffff", min_cbm_bits: 1, num_closids: 4 },
      l3_cache_schema_root: "L3:0=fffff;1=fffff",
      l3_cache_schema: "L3:0=7;1=7",
      mem_bw_info: { bandwidth_gran: 10, delay_linear: 1, min_bandwidth: 10, num_closids: 4 },
      mem_bw_schema_root: "MB:0=100;1=100",
      mem_bw_schema: "MB:0=100;1=100",
      schemata: ["L3:0=7;1=7", "MB:0=100;1=100"],
      mbm_stats: Array(2).fill({ mbm_total_bytes: 2 ** 64, mbm_local_bytes: 0 }),
      cmt_stats: Array(2).fill({ llc_occupancy: 65536 }),
    });
    expect(text).toContain('"mbm_total_bytes":18446744073709551615,');
  });

  root("is changed by update, or as it was where that is refused", async () => {
    await using bundle = bundleWith({ memBwSchema: "MB:0=20;1=20" });
    await bundle.ok("run", "-d", bundle.id);
    await bundle.ok("update", "--l3-cache-schema", "L3:0=3;1=3", "--mem-bw-schema", "MB:0=70;1=70", bundle.id);
    const schemata = "    L3:0=3;1=3\n    MB:0=70;1=70\n";
    expect(read(`${bundle.id}/schemata`)).toBe(schemata);
    const bad = await bundle.run("update", "--l3-cache-schema", "L3:0=5;1=5", bundle.id);
    expect(bad.status).toBe(1);
    expect(bad.stderr).toMatch(
      /linux\.intelRdt\.l3CacheSchema: intelrdt: unable to write "L3:0=5;1=5\\n": .*invalid argument, last_cmd_status: The mask 5 has non-consecutive 1-bits/,
    );
    const half = ["--l3-cache-schema", "L3:0=1;1=1", "--pids-limit", "7", "--cpuset-cpus", "9999"];
    expect((await bundle.run("update", ...half, bundle.id)).status).toBe(1);
    expect(read(`${bundle.id}/schemata`)).toBe(schemata);
    await using plain = bundleWith(undefined);
    await plain.ok("run", "-d", plain.id);
    expect((await plain.run("update", "--l3-cache-schema", "L3:0=1", plain.id)).stderr).toContain(
      "updating a non-existent Intel RDT configuration is not supported",
    );
  });
});

describe("a class of service that cannot be", () => {
  root("named without schemata it has to be there", async () => {
    await using bundle = bundleWith({ closID: "absent" });
    expect(await refused(bundle)).toMatch(
      /linux\.intelRdt\.closID: clos dir not accessible \(must be pre-created .*absent/,
    );
    await using reserved = bundleWith({ closID: "info", schemata: ["L3:0=1"] });
    expect(await refused(reserved)).toContain("linux.intelRdt.closID: info is no group of resctrl");
  });

  root("the kernel refuses its schemata: the group that was made for it goes, by whatever name", async () => {
    const says =
      /linux\.intelRdt\.schemata\[1\]: intelrdt: unable to write "L2:0=1\\n": .*schemata: invalid argument, last_cmd_status: Unknown or unsupported resource name 'L2'/;
    for (const closID of ["", "silver"]) {
      await using bundle = bundleWith({ closID, schemata: ["L3:0=1;1=1", "L2:0=1"], enableMonitoring: true });
      expect(await refused(bundle)).toMatch(says);
    }
  });

  root("there are no classes left, or nothing left to count with", async () => {
    const directories = ["a", "b", "c", "mon_groups/x", "mon_groups/y", "mon_groups/z"].map(seen);
    Bun.spawnSync(["mkdir", ...directories]);
    await using bundle = bundleWith({});
    const full = await refused(bundle);
    expect(full).toMatch(
      /linux\.intelRdt: unable to apply Intel RDT configuration: mkdir .*: no space left on device, last_cmd_status: Out of CLOSIDs/,
    );
    expect(full).toContain("num_closids");
    await using counted = bundleWith({ closID: "/", enableMonitoring: true });
    const uncounted = await refused(counted);
    expect(uncounted).toMatch(
      /linux\.intelRdt\.enableMonitoring: .*mkdir .*mon_groups.*: no space left on device, last_cmd_status: Out of RMIDs/,
    );
    Bun.spawnSync(["rmdir", ...directories]);
    expect(groups()).toEqual(none);
  });

  root("a later step fails, or a hook says no: its groups go", async () => {
    const config = { closID: "silver", schemata: ["L3:0=1;1=1"], enableMonitoring: true };
    await using late = bundleWith(config, "true", { mounts: [{ destination: "/x", type: "no-such", source: "x" }] });
    expect(await refused(late)).toContain("no-such");
    await using hooked = bundleWith(config, "true", { hooks: { createRuntime: [{ path: "/bin/false" }] } });
    expect(await refused(hooked)).toContain("createRuntime");
  });

  root("there is no resctrl", async () => {
    await using bundle = bundleWith({}, "true", {}, "");
    expect(await refused(bundle)).toContain(
      "linux.intelRdt: intelRdt is specified in config, but Intel RDT is not enabled",
    );
  });
});
