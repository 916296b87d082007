import { describe, expect, test } from "bun:test";
import type { LinuxConfig, MountConfig } from "../spec/runtime.ts";
import { inOrder, lines, linesOf, start } from "./sample.ts";

const mapping = [{ containerID: 0, hostID: 1000, size: 10 }];
const user = {
  namespaces: [{ type: "mount" }, { type: "user" }],
  uidMappings: mapping,
  gidMappings: mapping,
} as const satisfies Partial<LinuxConfig>;
const bind = (part: Partial<MountConfig> = {}): MountConfig => ({
  destination: "/x",
  source: "/tmp",
  options: ["rbind", "ro"],
  ...part,
});

/** What both actors do for one mount. */
function of(mount: MountConfig, linux: Partial<LinuxConfig> = {}) {
  const recipe = start({ mounts: [mount], linux });
  return { outside: linesOf(recipe, "mounts[0]", "outside"), inside: linesOf(recipe, "mounts[0]") };
}

describe("for a container with a user namespace", () => {
  test("the outside opens a source, cuts it off from the host's mounts, and hands it over", () => {
    const { outside, inside } = of(bind(), user);
    expect(outside).toEqual([
      'mount = open_tree(AT_FDCWD, "/tmp", OPEN_TREE_CLONE|AT_RECURSIVE|OPEN_TREE_CLOEXEC)',
      expect.stringContaining(
        'mount_setattr(<mount>, "", AT_EMPTY_PATH|AT_RECURSIVE, [000000000000000000000000000000000000080',
      ),
      expect.stringContaining('mount_setattr(<mount>, "", AT_EMPTY_PATH, [01'),
      "send_fd(<mount>)",
    ]);
    inOrder(inside, "mount = recv_fd()", "resolve_like", "move_mount");
  });

  test("a source in the root is opened inside: it may be a mount of the container's", () => {
    const { outside, inside } = of(bind({ source: "/r/made" }), user);
    expect(outside).toEqual([]);
    expect(inside[0]).toStartWith('mount = open_tree(AT_FDCWD, "/r/made"');
  });

  test("what is attached late is handed over in its turn", () => {
    const mounts = [
      { destination: "/cg", type: "cgroup" },
      bind({ destination: "/cg/x" }),
      bind({ destination: "/y" }),
    ];
    inOrder(
      lines(start({ mounts, linux: user })),
      "mount.1 = recv_fd()",
      "mount = recv_fd()",
      "wait(3)",
      'resolve_like(<root>, "/cg/x", <mount.1>',
    );
  });
});

describe("with mapped IDs", () => {
  const idmap = bind({ options: ["rbind", "ridmap"], uidMappings: mapping, gidMappings: mapping });

  test("a user namespace is made of the mount's own maps, and nothing of it stays open", () => {
    const { outside } = of(idmap);
    inOrder(
      outside,
      "open_tree",
      'idmap = user_namespace("0 1000 10\\n", "0 1000 10\\n")',
      "map_mount(<mount>, <idmap>, AT_RECURSIVE)",
      "send_fd(<mount>)",
    );
    expect(linesOf(start({ mounts: [idmap] }), "mounts", "outside").slice(-2)).toEqual([
      "close(<mount>)",
      "close(<idmap>)",
    ]);
  });

  test("a mount that only the inside can open goes out and comes back", () => {
    const { outside, inside } = of({ ...idmap, source: "/r/made" });
    inOrder(inside, "open_tree", "send_fd(<mount>)", "mount = recv_fd()", "move_mount");
    inOrder(outside, "mount = recv_fd()", "map_mount", "send_fd(<mount>)");
  });

  test("without maps of its own it has those of the container", () => {
    const flagged = bind({ options: ["bind", "idmap"] });
    expect(of(flagged, user).outside.join()).toContain('user_namespace("0 1000 10\\n"');
    const joined = { namespaces: [{ type: "mount" }, { type: "user", path: "/u" }] } as const;
    expect(of(flagged, joined).outside.join()).toContain("map_mount(<mount>, <namespace.user>, 0)");
  });
});
