import { describe, expect, test } from "bun:test";
import { inOrder, lines, linesOf, machines, start } from "./sample.ts";

const mount = { type: "mount" } as const;
const pipe = { uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }] };
const maps = { ...pipe, gidMappings: [{ containerID: 0, hostID: 2000, size: 10 }] };

describe("new namespaces", () => {
  test("are flags of the clone, but for the cgroup's", () => {
    const namespaces = (["mount", "pid", "network", "ipc", "uts", "cgroup", "time"] as const).map((type) => ({ type }));
    const outside = lines(start({ linux: { namespaces } }), "outside");
    expect(outside.find((line) => line.includes("clone("))).toBe(
      "pidfd = clone(CLONE_NEWTIME|CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET, <cgroup>, 1)",
    );
  });
});

describe("joined namespaces", () => {
  const namespaces = [
    mount,
    { type: "network", path: "/run/netns/a" },
    { type: "ipc", path: "/proc/9/ns/ipc" },
    { type: "pid", path: "/proc/9/ns/pid" },
  ] as const;
  const recipe = start({ linux: { namespaces } });

  test("are opened outside, where their paths are; pids are joined before the clone", () => {
    inOrder(
      lines(recipe, "outside"),
      'namespace.network = openat(AT_FDCWD, "/run/netns/a", O_CLOEXEC, 0)',
      'namespace.pid = openat(AT_FDCWD, "/proc/9/ns/pid"',
      "setns(<namespace.pid>, CLONE_NEWPID)",
      "clone(CLONE_NEWNS,",
    );
  });

  test("the others are joined inside, first of all", () => {
    expect(lines(recipe).slice(1, 3)).toEqual([
      "setns(<namespace.ipc>, CLONE_NEWIPC)",
      "setns(<namespace.network>, CLONE_NEWNET)",
    ]);
  });
});

describe("a user namespace", () => {
  const recipe = start({
    linux: {
      namespaces: [mount, { type: "user" }],
      ...maps,
      devices: [{ type: "c", path: "/dev/null", major: 1, minor: 3 }],
    },
    mounts: [{ destination: "/dev", type: "tmpfs" }],
    process: { user: { uid: 3, gid: 4 } },
  });

  test("gets its maps from outside before anything is done inside", () => {
    inOrder(
      lines(recipe, "outside"),
      "clone(",
      "proc = open_proc()",
      '"uid_map", "0 1000 10\\n"',
      '"gid_map"',
      "signal(1)",
    );
    expect(lines(recipe).slice(1, 4)).toEqual(["wait(1)", "setresgid(0, 0, 0)", "setresuid(0, 0, 0)"]);
  });

  test("of a maker without privileges the maps can be written, and groups stay as they are", () => {
    const map = [{ containerID: 0, hostID: 1000, size: 1 }];
    const namespaces = (["mount", "user"] as const).map((type) => ({ type }));
    const linux = { namespaces, uidMappings: map, gidMappings: map };
    const own = start({ linux }, machines.v1, { managed: { preserved: 0, unprivileged: true } });
    inOrder(
      lines(own, "outside"),
      "prctl(PR_SET_DUMPABLE, 1",
      "clone(",
      '"uid_map"',
      "prctl(PR_SET_DUMPABLE, 0",
      '"setgroups", "deny"',
      '"gid_map"',
      "signal(1)",
    );
    inOrder(lines(own), "wait(1)", "prctl(PR_SET_DUMPABLE, 0", "setresuid(0, 0, 0)");
    expect(lines(own).some((line) => line.startsWith("setgroups"))).toBe(false);
    expect(lines(own, "outside").some((line) => line.includes("devices."))).toBe(false);
  });

  test("streams belong to the user as the host numbers it", () => {
    expect(lines(recipe, "outside")).toContain('fchownat(<stdout.write>, "", 1003, 2004, AT_EMPTY_PATH)');
  });

  test("devices are the host's, bound", () => {
    expect(linesOf(recipe, "linux.devices[0]")).toEqual([
      'mount = open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)',
      'target = resolve(<root>, "/dev/null", file, 0644)',
      'move_mount(<mount>, "", <target>, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)',
    ]);
  });
});

describe("a user namespace that is joined", () => {
  const recipe = start({
    linux: {
      namespaces: [{ type: "mount" }, { type: "pid" }, { type: "network", path: "/n" }, { type: "user", path: "/u" }],
    },
  });

  test("comes after what the host's rights join, and owns what is new", () => {
    expect(lines(recipe).slice(1, 7)).toEqual([
      "setns(<namespace.network>, CLONE_NEWNET)",
      "setns(<namespace.user>, CLONE_NEWUSER)",
      "setresgid(0, 0, 0)",
      "setresuid(0, 0, 0)",
      "rebirth(CLONE_NEWNS|CLONE_NEWPID)",
      "umask(0)",
    ]);
  });

  test("the process that was born again is the one that others hear of", () => {
    inOrder(lines(recipe, "outside"), 'namespace.user = openat(AT_FDCWD, "/u"', "clone(0, ", "pidfd = adopt()");
  });
});

test("namespaces of the host are joined before a user namespace is made", () => {
  const mappings = [{ containerID: 5, hostID: 1000, size: 10 }];
  const recipe = start({
    linux: {
      namespaces: [{ type: "mount" }, { type: "user" }, { type: "ipc", path: "/i" }],
      uidMappings: mappings,
      gidMappings: mappings,
    },
  });
  inOrder(
    lines(recipe),
    "setns(<namespace.ipc>",
    "rebirth(CLONE_NEWNS|CLONE_NEWUSER)",
    "wait(1)",
    "setresuid(5, 5, 5)",
  );
  inOrder(lines(recipe, "outside"), "adopt()", '"uid_map"', "signal(1)");
});

describe("without a mount namespace", () => {
  const recipe = start({ linux: { namespaces: [] } });

  test("no mount of the host is touched, and the root is changed, not pivoted", () => {
    const inside = lines(recipe);
    expect(inside.filter((line) => line.includes('"/"') && line.startsWith("mount_setattr"))).toEqual([]);
    inOrder(inside, "fchdir(<root>)", 'chroot(".")', 'chdir("/")');
    expect(inside.join()).not.toContain("pivot_root");
  });

  test("the root is taken away at the end", () => {
    inOrder(lines(recipe, "cleanup"), 'umount("/m", MNT_DETACH)', 'unlinkat(AT_FDCWD, "/m", AT_REMOVEDIR)');
  });
});
