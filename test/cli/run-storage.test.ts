/** Flags of `run` about what is mounted in the container. */
import { beforeAll, describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../harness/requirements.ts";
import { fileStore, refuseFlags, showFlags, tryFlags } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

beforeAll(() => {
  mkdirSync(join(store().home, "dir"));
  writeFileSync(join(store().home, "dir/file"), "content\n");
});

const options = (target: string) => `grep ' ${target} ' /proc/self/mountinfo | cut -d' ' -f6`;
const isReadOnly = (target: string) => `touch ${target}/new 2>/dev/null || echo read-only`;

tryFlags("mounts", store, [
  ["-v HOME/dir:/m", "cat /m/file; touch /m/ours && echo written", "content\nwritten"],
  ["-v HOME/dir:/m:ro", `cat /m/file; ${isReadOnly("/m")}`, "content\nread-only"],
  ["--volume HOME/dir/file:/a/file", "cat /a/file", "content"],
  ["-v HOME/dir:/m:ro,rprivate", isReadOnly("/m"), "read-only"],
  ["-v HOME/dir:/m:z", "cat /m/file", "content"],
  ["-v /anonymous", "ls -a /anonymous | wc -l; touch /anonymous/a && echo written", "2\nwritten"],
  ["-v named:/m -w /m", "echo kept > f; cat f", "kept"],
  ["-v named:/m:ro", `cat /m/f; ${isReadOnly("/m")}`, "kept\nread-only"],
  ["-v copied:/etc", "[ -e /etc/passwd ] && echo copied", "copied"],
  ["-v empty:/etc:nocopy", "[ -e /etc/passwd ] || echo empty", "empty"],
  ["--mount type=bind,source=HOME/dir,target=/m", "cat /m/file", "content"],
  ["--mount type=bind,src=HOME/dir,dst=/m,readonly", isReadOnly("/m"), "read-only"],
  [
    "--mount type=bind,src=HOME/dir,dst=/m,ro=true,bind-recursive=readonly,bind-propagation=rprivate",
    isReadOnly("/m"),
    "read-only",
  ],
  ["--mount type=bind,src=HOME/dir,dst=/m,bind-propagation=private,consistency=cached", "cat /m/file", "content"],
  ["--mount type=bind,src=HOME/dir,dst=/m,bind-nonrecursive", "cat /m/file", "content"],
  ["--mount type=volume,source=mounted,destination=/m,volume-label=a=b", "touch /m/a && echo written", "written"],
  ["--mount source=mounted,target=/m,volume-nocopy", "ls /m", "a"],
  ["--mount type=volume,src=copied,dst=/m,volume-driver=local", "[ -e /m/passwd ] && echo there", "there"],
  [
    "--mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700",
    "stat -c %a /t; df /t | tail -1 | awk '{print $2}'",
    "700\n1024",
  ],
  ["--tmpfs /t", `${options("/t")}; stat -c %a /t`, "rw,nosuid,nodev,noexec,relatime\n1777"],
  ["--tmpfs /t:size=2m,mode=750,exec", "stat -c %a /t; df /t | tail -1 | awk '{print $2}'", "750\n2048"],
  ["--shm-size 2m", "df /dev/shm | tail -1 | awk '{print $2}'", "2048"],
  ["", "awk '$2 == \"/\" {print $4}' /proc/self/mounts | tr , '\\n' | grep volatile", /volatile$/m],
]);

showFlags("inspect shows", store, [
  [
    "-v HOME/dir:/m:ro",
    "{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}} {{.Propagation}}{{end}}",
    "bind /m false rprivate",
  ],
  ["-v named:/m", "{{range .Mounts}}{{.Type}} {{.Name}} {{.Driver}} {{.RW}}{{end}}", "volume named local true"],
  ["--mount src=named,dst=/m,ro", "{{range .Mounts}}{{.Name}} {{.Destination}} {{.RW}}{{end}}", "named /m false"],
  ["--tmpfs /t:size=1m", "{{.HostConfig.Tmpfs}}", "map[/t:size=1m]"],
]);

refuseFlags("refused:", store, [
  ["-v relative:path:/m", "invalid mode: /m"],
  ["-v HOME/dir:relative", "invalid volume specification"],
  ["-v HOME/dir:/", "destination can't be '/'"],
  ["-v HOME/dir:/m:rw,ro", "invalid mode: rw,ro"],
  ["-v HOME/dir:/m:nosuch", "invalid mode: nosuch"],
  ["-v bad/name:/m", "bad/name"],
  ["-v HOME/dir:/m -v HOME/dir:/m", "Duplicate mount point: /m"],
  ["--mount type=nosuch,target=/m", "nosuch"],
  ["--mount type=bind,target=/m", "field Source must not be empty"],
  ["--mount type=bind,source=HOME/nosuch,target=/m", "nosuch"],
  ["--mount type=bind,source=HOME/dir", "target"],
  ["--mount type=bind,source=HOME/dir,target=/m,nosuch=1", "nosuch"],
  ["--mount type=tmpfs,target=/m,source=x", "source"],
  ["--mount type=volume,source=a,target=/m,volume-driver=nosuch", "no volume driver named 'nosuch'"],
  ["--mount type=volume,source=a,target=/m,volume-subpath=../x", "volume-subpath"],
  ["--mount type=volume,source=named,target=/m,volume-subpath=sub", "volume-subpath is not supported yet"],
  ["--tmpfs relative", "relative"],
  ["--tmpfs /t:nosuch=1", "nosuch"],
  ["--shm-size much", "much"],
  ["--volumes-from x", "--volumes-from is not supported: name the volumes with --volume"],
  ["--volume-driver x", "--volume-driver is not supported: volumes are local directories"],
  ["--storage-opt size=1G", "--storage-opt is not supported"],
]);

describe("sources and leavings", () => {
  testWith(root, "-v makes a host directory that is not there, --mount does not", async () => {
    const made = join(store().home, "made/by/volume");
    await store().ok(["run", "--rm", "-v", `${made}:/m`, "busybox", "touch", "/m/file"]);
    expect(statSync(join(made, "file")).isFile()).toBe(true);
    const absent = join(store().home, "absent");
    expect((await store().galley(["run", "--mount", `type=bind,src=${absent},dst=/m`, "busybox"])).status).toBe(125);
    expect(existsSync(absent)).toBe(false);
    await store().ok(["container", "prune", "-f"]);
  });

  testWith(root, "a path from here is a host's", async () => {
    const args = ["run", "--rm", "-v", "./dir:/m", "busybox", "sh", "-c", "echo here > /m/here"];
    await store().ok(args, { cwd: store().home });
    expect(readFileSync(join(store().home, "dir/here"), "utf8")).toBe("here\n");
  });

  testWith(root, "--rm takes anonymous volumes along and leaves named ones", async () => {
    const before = await store().ok(["volume", "ls", "-q"]);
    await store().ok(["run", "--rm", "-v", "/anonymous", "-v", "stays:/m", "busybox", "true"]);
    expect((await store().ok(["volume", "ls", "-q"])).split("\n").sort()).toEqual(
      [...before.split("\n"), "stays"].sort(),
    );
  });

  testWith(root, "only the root of a --rm container is volatile", async () => {
    await store().ok(["run", "--name", "kept", "busybox", "cat", "/proc/self/mounts"]);
    expect(await store().ok(["logs", "kept"])).not.toContain("volatile");
    await store().ok(["rm", "kept"]);
  });
});
