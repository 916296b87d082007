import { describe, expect, test } from "bun:test";
import { inOrder, lines, linesOf, machines, start } from "./sample.ts";

const limits = { linux: { resources: { memory: { limit: 4096 * 1024 } } } };

describe("v1", () => {
  const recipe = start(limits, machines.v1);
  const outside = lines(recipe, "outside");

  test("directories and limits come after the clone, beside the inside's work; then the process enters them itself", () => {
    inOrder(
      outside,
      "clone(CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWPID, -1, 1)",
      'make_dirs("/cg/memory/galley/c1", 0755)',
      '"/cg/memory/galley/c1/memory.limit_in_bytes", "4194304"',
      'oom = watch_oom("/cg/memory/galley/c1")',
      "signal(3)",
    );
    const enter = 'write_file(AT_FDCWD, "/cg/memory/galley/c1/tasks", "0", O_WRONLY, 0)';
    inOrder(lines(recipe), "wait(3)", enter, "pivot_root");
    expect(outside.some((line) => line.includes("write_pid"))).toBe(false);
  });

  test("from a user namespace they cannot be written to: the process is attached from outside", () => {
    const map = [{ containerID: 0, hostID: 1, size: 1 }];
    const namespaces = (["mount", "user"] as const).map((type) => ({ type }));
    const mapped = start({ linux: { namespaces, uidMappings: map, gidMappings: map } }, machines.v1);
    inOrder(lines(mapped, "outside"), 'write_pid(AT_FDCWD, "/cg/memory/galley/c1/cgroup.procs")', "signal(3)");
    expect(lines(mapped).some((line) => line.includes("/tasks"))).toBe(false);
  });

  test("devices are refused and allowed one by one", () => {
    const devices = linesOf(recipe, "linux.resources.devices", "outside");
    expect(devices[0]).toContain('devices.deny", "a *:* rwm"');
    expect(devices.some((line) => line.includes('devices.allow", "c 1:3 rwm"'))).toBe(true);
  });

  test("its freezer, its members and the end of each directory", () => {
    expect(lines(recipe, "pause")).toEqual([
      'write_file(AT_FDCWD, "/cg/freezer/galley/c1/freezer.state", "FROZEN", O_WRONLY, 0)',
      'await_file(AT_FDCWD, "/cg/freezer/galley/c1/freezer.state", "FROZEN", 10000)',
    ]);
    expect(lines(recipe, "kill")).toEqual(['kill_cgroup("/cg/systemd/galley/c1", 9)']);
    expect(lines(recipe, "cleanup")).toHaveLength(5);
  });
});

describe("hybrid", () => {
  const recipe = start(limits, machines.hybrid);

  test("the process is born in the v2 directory, then enters v1's", () => {
    const outside = lines(recipe, "outside");
    expect(outside.indexOf('make_dirs("/cg/unified/galley/c1", 0755)')).toBeLessThan(
      outside.findIndex((line) => line.includes("clone(") && line.includes("<cgroup>")),
    );
    expect(lines(recipe)).toContain('write_file(AT_FDCWD, "/cg/memory/galley/c1/tasks", "0", O_WRONLY, 0)');
    expect(outside.some((line) => line.includes("attach_device_filter"))).toBe(false);
  });

  test("v2 freezes", () => {
    expect(lines(recipe, "pause")[0]).toContain("/cg/unified/galley/c1/cgroup.freeze");
  });
});

describe("v2", () => {
  const recipe = start(limits, machines.v2);

  test("everything is there before the clone; nothing is entered", () => {
    const outside = lines(recipe, "outside");
    const limit = outside.indexOf('write_file(AT_FDCWD, "/cg/galley/c1/memory.max", "4194304", O_WRONLY, 0)');
    expect(limit).toBeGreaterThan(0);
    expect(limit).toBeLessThan(outside.findIndex((line) => line.includes("clone(")));
    expect([...outside, ...lines(recipe)].some((line) => /write_pid|tasks/.test(line))).toBe(false);
  });

  test("resuming waits until the kernel says so", () => {
    expect(lines(recipe, "resume")).toEqual([
      'write_file(AT_FDCWD, "/cg/galley/c1/cgroup.freeze", "0", O_WRONLY, 0)',
      'await_file(AT_FDCWD, "/cg/galley/c1/cgroup.events", "frozen 0", 10000)',
    ]);
  });
});

describe("v2 in a user namespace: the cgroup is given to who will run in it", () => {
  const map = [{ containerID: 0, hostID: 100_000, size: 10 }];
  const namespaces = (["mount", "user", "cgroup"] as const).map((type) => ({ type }));
  const mount = { source: "cgroup", destination: "/sys/fs/cgroup/", type: "cgroup", options: ["rw"] };
  const linux = { namespaces, uidMappings: map, gidMappings: map };
  const given = (...parts: Parameters<typeof start>): string[] =>
    lines(start(...parts), "outside").filter((line) => line.startsWith('fchownat(AT_FDCWD, "/cg'));

  test("with what the kernel lists of its files, before the clone", () => {
    const process = { user: { uid: 3, gid: 0 } };
    const all = lines(start({ process, mounts: [mount], linux }), "outside");
    inOrder(
      all,
      'make_dirs("/cg/galley/c1", 0755)',
      'fchownat(AT_FDCWD, "/cg/galley/c1", 100003, ',
      'fchownat(AT_FDCWD, "/cg/galley/c1/cgroup.procs", 100003, ',
      "clone(",
    );
  });

  test("but not where he may not write to it, sees the host's, or it is v1's; nor by who owns it already", () => {
    expect(given({ mounts: [mount], linux })).not.toBeEmpty();
    expect(given({ mounts: [{ ...mount, options: ["ro"] }], linux })).toEqual([]);
    expect(given({ mounts: [], linux })).toEqual([]);
    expect(given({ mounts: [mount], linux: { ...linux, namespaces: namespaces.slice(0, 2) } })).toEqual([]);
    expect(given({ mounts: [mount], linux }, machines.hybrid)).toEqual([]);
    expect(given({ mounts: [mount], linux: { namespaces: [{ type: "mount" }, { type: "cgroup" }] } })).toEqual([]);
    expect(given({ mounts: [mount], linux }, machines.v2, { managed: { unprivileged: true } })).toEqual([]);
  });
});

test("who is in the cgroup already opens it for nobody", () => {
  const outside = lines(start({}, machines.v2, { managed: { isInCgroup: true, unprivileged: true } }), "outside");
  expect(outside.find((line) => line.includes("clone("))).toContain(", -1, 1)");
  expect(outside.some((line) => line.includes('openat(AT_FDCWD, "/cg/galley/c1"'))).toBe(false);
});

test("without a pid namespace of its own, what still runs is killed before the directories go", () => {
  const recipe = start({ linux: { namespaces: [{ type: "mount" }] } });
  expect(lines(recipe, "cleanup")).toEqual([
    'kill_cgroup("/cg/galley/c1", 9)',
    'remove_cgroup("/cg/galley/c1", 10000)',
  ]);
});

describe("the container's view of its cgroup", () => {
  const mounts = [{ destination: "/sys/fs/cgroup", type: "cgroup", options: ["ro", "nosuid"] }];
  const own = { namespaces: [{ type: "mount" }, { type: "cgroup" }] } as const;

  test("v2: all of it, or a new mount in its own namespace, which is unshared when it is in its cgroup", () => {
    expect(linesOf(start({ mounts }), "mounts[0]")[0]).toContain('open_tree(AT_FDCWD, "/cg"');
    const inside = lines(start({ mounts, linux: own }));
    const wait = inside.indexOf("wait(3)");
    expect(inside.slice(wait, wait + 4)).toEqual([
      "wait(3)",
      "sched_setaffinity(0, [1024 bytes])",
      "unshare(CLONE_NEWCGROUP)",
      'filesystem = fsopen("cgroup2", FSOPEN_CLOEXEC)',
    ]);
  });

  test("v1: a tmpfs with a directory for each hierarchy and a link for each further controller, closed at the end", () => {
    const all = linesOf(start({ mounts }, machines.v1), "mounts[0]");
    expect(all).toContain('fsconfig_string(<filesystem>, "source", "cgroup")');
    expect(all).toContain(
      'mount = open_tree(AT_FDCWD, "/cg/cpu,cpuacct/galley/c1", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)',
    );
    expect(all).toContain('mkdirat(<cgroup-root>, "cpu,cpuacct", 0755)');
    expect(all).toContain('symlinkat("cpu,cpuacct", <cgroup-root>, "cpuacct")');
    expect(all).not.toContain('symlinkat("systemd", <cgroup-root>, "name=systemd")');
    expect(all.at(-1)).toStartWith('mount_setattr(<cgroup-root>, "", AT_EMPTY_PATH, [01');
  });

  test("v1 in a namespace of its own: the hierarchies are mounted anew, one by its name", () => {
    const all = linesOf(start({ mounts, linux: own }, machines.v1), "mounts[0]");
    expect(all).toContain('fsconfig_flag(<filesystem>, "cpuacct")');
    expect(all.indexOf('fsconfig_flag(<filesystem>, "none")') + 1).toBe(
      all.indexOf('fsconfig_string(<filesystem>, "name", "systemd")'),
    );
  });

  test("mounts below it come after it", () => {
    const below = [...mounts, { destination: "/sys/fs/cgroup/extra", type: "tmpfs" }];
    const inside = lines(start({ mounts: below }));
    expect(inside.indexOf('target = resolve_like(<root>, "/sys/fs/cgroup/extra", <mount.1>, 0755)')).toBeGreaterThan(
      inside.indexOf("wait(3)"),
    );
  });
});
