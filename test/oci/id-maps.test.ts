/** A user without privileges maps the IDs that are given to him in /etc/subuid: by newuidmap(1) and newgidmap(1), in a real container. */
import { describe, expect } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rootlessConfig } from "../../src/runtime/oci/example.ts";
import type { IdMapping, ProcessConfig } from "../../src/spec/runtime.ts";
import { OciBundle } from "./oci-bundle.ts";
import { becomeUser, USER, userTests } from "./user-test.ts";

const OTHERS = { containerID: 1, hostID: 200_000, size: 1000 };
const own = { containerID: 0, hostID: USER, size: 1 };
const both = [own, OTHERS];
const become = becomeUser(`--groups=${USER},4`);

const user = userTests("unshare", "newuidmap", "newgidmap");

/** What lies over the machine's own directory, for the commands of one bundle alone. */
const OVER = 'mount -t overlay -o "lowerdir=$0:/etc" etc /etc && exec "$@"';

/** A bundle of a user who may map a thousand IDs besides his own, and the runtime as he runs it. */
function owned(script: string, mappings: readonly IdMapping[], process: Partial<ProcessConfig> = {}) {
  const bundle = new OciBundle(script);
  const { mounts = [], linux } = rootlessConfig();
  const maps = { uidMappings: mappings, gidMappings: mappings };
  bundle.configure(script, { mounts, root: { path: "rootfs" }, linux: { ...linux, ...maps }, process } as object);
  const [home, etc] = [bundle.folder.at("home"), bundle.folder.at("etc")];
  for (const directory of [home, etc]) mkdirSync(directory);
  const range = `galley-test:${OTHERS.hostID}:${OTHERS.size}\n`;
  for (const file of ["subuid", "subgid"]) writeFileSync(`${etc}/${file}`, range);
  const others = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .filter((line) => line.split(":")[2] !== String(USER));
  writeFileSync(`${etc}/passwd`, [`galley-test:x:${USER}:${USER}::${home}:/bin/sh`, ...others].join("\n"));
  Bun.spawnSync(["chown", "-R", `${USER}:${USER}`, bundle.folder.path]);
  chmodSync(bundle.folder.path, 0o755);
  const around = ["unshare", "--mount", "--propagation", "private", "sh", "-c", OVER, etc];
  bundle.through = [...around, ...become, "env", `HOME=${home}`, `XDG_RUNTIME_DIR=${home}`];
  return bundle;
}

/** A search path that has everything but one program. */
function pathWithout(bundle: OciBundle, name: string): string {
  const directory = bundle.folder.at("bin");
  mkdirSync(directory);
  for (const folder of ["/bin", "/usr/bin"]) {
    for (const program of readdirSync(folder)) {
      const link = `${directory}/${program}`;
      if (program !== name && !existsSync(link)) symlinkSync(`${folder}/${program}`, link);
    }
  }
  return directory;
}

describe("a user's maps", () => {
  user("are what he was given: the container has other users, and none of his groups", async () => {
    const script = "id -u; id -G; cat /proc/self/setgroups; touch /own; chown 7:8 /own; stat -c %u:%g /own";
    const chown = ["CAP_CHOWN"];
    await using bundle = owned(script, both, { capabilities: { bounding: chown, effective: chown, permitted: chown } });
    expect(await bundle.run("run", bundle.id)).toEqual({ status: 0, stdout: "0\n0\nallow\n7:8\n", stderr: "" });
    const { uid, gid } = statSync(`${bundle.path}/rootfs/own`);
    expect([uid, gid]).toEqual([OTHERS.hostID + 6, OTHERS.hostID + 7]);
  });

  user("hold for another user, with groups, and for what is executed later", async () => {
    const mappings = [OTHERS, own];
    await using bundle = owned("exec sleep 1000", mappings, { user: { uid: 33, gid: 34, additionalGids: [35] } });
    await bundle.ok("run", "-d", bundle.id);
    const { pid } = JSON.parse(await bundle.ok("state", bundle.id));
    for (const file of ["uid_map", "gid_map"]) {
      const lines = readFileSync(`/proc/${pid}/${file}`, "utf8").trim().split("\n");
      expect(lines.map((line) => line.trim().split(/ +/).map(Number))).toEqual([
        [1, OTHERS.hostID, 1000],
        [0, USER, 1],
      ]);
    }
    expect(statusOf(pid)).toMatchObject({
      Uid: OTHERS.hostID + 32,
      Gid: OTHERS.hostID + 33,
      Groups: OTHERS.hostID + 34,
    });
    expect(await bundle.ok("exec", bundle.id, "id", "-G")).toBe("34 35\n");
    expect(await bundle.ok("exec", "--user", "0:0", bundle.id, "id", "-G")).toBe("0 35\n");
  });

  user("of his own ID alone need no program", async () => {
    await using bundle = owned("cat /proc/self/setgroups", [own]);
    bundle.through = [...bundle.through, `PATH=${pathWithout(bundle, "newuidmap")}`];
    expect(await bundle.run("run", bundle.id)).toEqual({ status: 0, stdout: "deny\n", stderr: "" });
  });

  for (const [program, field] of [
    ["newuidmap", "linux.uidMappings"],
    ["newgidmap", "linux.gidMappings"],
  ] as const) {
    user(`cannot be made without ${program}: the package is named`, async () => {
      await using bundle = owned("true", both);
      bundle.through = [...bundle.through, `PATH=${pathWithout(bundle, program)}`];
      const { status, stderr } = await bundle.run("run", bundle.id);
      expect(status).toBe(1);
      expect(stderr).toContain(`${field}: failed to use ${program}: executable file not found in $PATH`);
      expect(stderr).toContain("apt-get install uidmap");
      expect(await bundle.ok("list", "-q")).toBe("");
    });
  }

  user("have no IDs that are somebody else's: the program's own words, and where they are given", async () => {
    await using bundle = owned("true", [own, { ...OTHERS, hostID: OTHERS.hostID - 1 }]);
    const { status, stderr } = await bundle.run("run", bundle.id);
    expect(status).toBe(1);
    expect(stderr).toContain(
      "linux.uidMappings: failed to use newuidmap: newuidmap: uid range [1-1001) -> [199999-200999) not allowed",
    );
    expect(stderr).toContain("/etc/subuid");
    expect(await bundle.ok("list", "-q")).toBe("");
  });
});

/** The first number of each line of /proc/PID/status. */
function statusOf(pid: number): Readonly<Record<string, number>> {
  const lines = readFileSync(`/proc/${pid}/status`, "utf8").split("\n");
  return Object.fromEntries(
    lines.map((line) => line.split(/:?\s+/)).map(([name = "", value]) => [name, Number(value)]),
  );
}
