import { describe, expect, test } from "bun:test";
import type { MountConfig } from "../spec/runtime.ts";
import { inOrder, lines, linesOf, start } from "./sample.ts";

const of = (mount: MountConfig): string[] => linesOf(start({ mounts: [mount] }), "mounts[0]");

describe("file systems", () => {
  test("are configured one parameter at a time, mounted with their attributes and moved to their place", () => {
    expect(
      of({ destination: "/t", type: "tmpfs", source: "shm", options: ["nosuid", "size=1m", "mode=1777"] }),
    ).toEqual([
      'filesystem = fsopen("tmpfs", FSOPEN_CLOEXEC)',
      'fsconfig_string(<filesystem>, "source", "shm")',
      'fsconfig_string(<filesystem>, "size", "1m")',
      'fsconfig_string(<filesystem>, "mode", "1777")',
      "fsconfig_create(<filesystem>)",
      "mount = fsmount(<filesystem>, FSOPEN_CLOEXEC, MOUNT_ATTR_NOSUID)",
      'target = resolve_like(<root>, "/t", <mount>, 0755)',
      "verify(<target>, not proc)",
      'move_mount(<mount>, "", <target>, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)',
    ]);
  });

  test("procfs and sysfs go to a directory of the root itself, never through a link", () => {
    expect(of({ destination: "/proc", type: "proc" }).slice(-3, -1)).toEqual([
      'mkdirat(<root>, "proc", 0755)',
      'target = openat(<root>, "proc", O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC|O_PATH, 0)',
    ]);
  });

  test("a read-only tmpfs is closed when everything has found its place in it", () => {
    const mounts = [
      { destination: "/a", type: "tmpfs", options: ["ro"] },
      { destination: "/a/b", type: "tmpfs" },
    ];
    const inside = lines(start({ mounts }));
    expect(inside).toContain("mount.0 = fsmount(<filesystem>, FSOPEN_CLOEXEC, 0)");
    inOrder(inside, '"/a/b"', 'mount_setattr(<mount.0>, "", AT_EMPTY_PATH, [01', "pivot_root");
  });

  test("a tmpfs has the mode of the directory that it covers, where nothing else is said", () => {
    const inherits = (options: readonly string[]): boolean =>
      of({ destination: "/t", type: "tmpfs", options }).includes('fsconfig_mode_of(<filesystem>, <root>, "/t")');
    expect(inherits([])).toBeTrue();
    expect(inherits(["mode=700"])).toBeFalse();
  });

  test("tmpcopyup copies what the image has, before it is covered", () => {
    inOrder(
      of({ destination: "/t", type: "tmpfs", options: ["tmpcopyup"] }),
      "resolve",
      "copy_tree(<target>, <mount>)",
      "move_mount",
    );
  });
});

describe("binds", () => {
  test("of a directory, with the mounts below it, read-only, and private", () => {
    expect(of({ destination: "/x", type: "bind", source: "/tmp", options: ["rbind", "ro", "rprivate"] })).toEqual([
      'mount = open_tree(AT_FDCWD, "/tmp", OPEN_TREE_CLONE|AT_RECURSIVE|OPEN_TREE_CLOEXEC)',
      expect.stringContaining('mount_setattr(<mount>, "", AT_EMPTY_PATH, [01'),
      'target = resolve_like(<root>, "/x", <mount>, 0755)',
      "verify(<target>, not proc)",
      'move_mount(<mount>, "", <target>, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)',
      expect.stringContaining(
        'mount_setattr(<mount>, "", AT_EMPTY_PATH|AT_RECURSIVE, [00000000000000000000000000000000000004',
      ),
    ]);
  });

  test("the destination is of the source's kind, which is seen when it is mounted: an earlier mount may have made it", () => {
    expect(of({ destination: "/x", source: "/made/by/another", options: ["bind"] })[1]).toBe(
      'target = resolve_like(<root>, "/x", <mount>, 0755)',
    );
  });

  test("rro reaches the mounts below", () => {
    expect(of({ destination: "/x", type: "bind", source: "/tmp", options: ["rbind", "rro"] })[1]).toStartWith(
      'mount_setattr(<mount>, "", AT_EMPTY_PATH|AT_RECURSIVE, [01',
    );
  });
});

describe("the root", () => {
  test("an overlay, layer by layer, with the name that mount tables show", () => {
    const root = { kind: "overlay", lower: ["/l2", "/l1"], upper: "/u", work: "/w" } as const;
    const values = linesOf(start({}, undefined, { root }), "root.path").filter((line) =>
      line.startsWith("fsconfig_string"),
    );
    expect(values.slice(0, 5)).toEqual([
      'fsconfig_string(<filesystem>, "source", "overlay")',
      'fsconfig_string(<filesystem>, "lowerdir+", "/l2")',
      'fsconfig_string(<filesystem>, "lowerdir+", "/l1")',
      'fsconfig_string(<filesystem>, "upperdir", "/u")',
      'fsconfig_string(<filesystem>, "workdir", "/w")',
    ]);
  });

  test("a volatile overlay waits for no disk, and forgets that it was mounted before", () => {
    const root = { kind: "overlay", lower: ["/l"], upper: "/u", work: "/w", volatile: true } as const;
    inOrder(
      linesOf(start({}, undefined, { root }), "root.path"),
      'remove_tree(AT_FDCWD, "/w/work/incompat")',
      'fsconfig_flag(<filesystem>, "volatile")',
      "fsconfig_create",
    );
    expect(linesOf(start({}, undefined, { root: { ...root, volatile: false } }), "root.path").join()).not.toMatch(
      /volatile|incompat/,
    );
  });

  test("read-only: closed after the mounts have found their places", () => {
    inOrder(
      lines(start({ root: { path: "/r", readonly: true } })),
      "wait(3)",
      'mount_setattr(<root>, "", AT_EMPTY_PATH, [01',
      "pivot_root",
    );
  });

  test("by default the host's mounts are followed and nothing reaches them", () => {
    const inside = lines(start());
    expect(inside.find((line) => line.startsWith("mount_setattr"))).toContain(
      '"/", AT_RECURSIVE, [000000000000000000000000000000000000080',
    );
  });

  test("shared: only the mount around the root is cut off, the old root is no peer any more when it goes", () => {
    const inside = linesOf(start({ linux: { rootfsPropagation: "rshared" } }), "");
    inOrder(inside, 'mount_setattr(AT_FDCWD, "/around", 0, [000000000000000000000000000000000000040', "pivot_root");
    inOrder(
      inside,
      "pivot_root",
      'mount_setattr(AT_FDCWD, ".", AT_RECURSIVE, [',
      "umount",
      'mount_setattr(AT_FDCWD, "/", AT_RECURSIVE',
    );
  });
});

test("hidden paths come last, read-only ones before masked ones", () => {
  const linux = { maskedPaths: ["/proc/kcore"], readonlyPaths: ["/proc/sys"] };
  inOrder(
    lines(start({ linux })),
    "wait(3)",
    'readonly_path(<root>, "/proc/sys")',
    'mask_path(<root>, "/proc/kcore")',
    "pivot_root",
  );
});

describe("devices", () => {
  const mounts = [{ destination: "/dev", type: "tmpfs" }];
  const devices = [
    { type: "c", path: "/dev/null", major: 1, minor: 3, fileMode: 0o666 },
    { type: "b", path: "/dev/disk/a", major: 8, minor: 1, uid: 5, gid: 6 },
  ] as const;

  test("are made in /dev and in directories below it, with owner and mode", () => {
    expect(linesOf(start({ mounts, linux: { devices } }), "linux.devices[")).toEqual([
      'make_node(<dev>, "null", 020666, 1:3)',
      'target = resolve(<root>, "/dev/disk", directory, 0755)',
      'make_node(<target>, "a", 060666, 8:1)',
      'fchownat(<target>, "a", 5, 6, AT_SYMLINK_NOFOLLOW)',
    ]);
  });

  test("a /dev that is the host's is left as it is", () => {
    const bound = [{ destination: "/dev", type: "bind", source: "/dev", options: ["rbind"] }];
    expect(linesOf(start({ mounts: bound, linux: { devices } }), "linux.devices")).toEqual([]);
  });
});
