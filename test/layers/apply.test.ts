/** What a layer's entries become, and what hostile ones do not. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyLayer } from "../../src/image/layers/apply/apply-layer.ts";
import type { LayerTotals } from "../../src/image/layers/apply/layer-writer.ts";
import { archive, header, pax, record } from "../../src/image/layers/tar/test-blocks.ts";
import { OverlayDirectories } from "../../src/image/snapshot/overlay-directories.ts";
import { sampleLayer, streamOf } from "../../src/image/snapshot/snapshotter-suite.ts";
import { Root } from "../../src/linux/fs-at/fs-at.ts";
import { getxattr, listxattr, mount, O, UMOUNT, umount, withFd } from "../../src/linux/sys/sys.ts";
import { indexInto, mountIndexed } from "./indexed.ts";

/** The layer's root lies deep enough that a few `..` lead to the canary. */
let outside: string;
let layer: string;
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), "galley-apply-"));
  layer = join(outside, "a/b/layer");
  mkdirSync(layer, { recursive: true });
  mkdirSync(join(outside, "etc"));
  writeFileSync(join(outside, "etc/passwd"), "canary");
  writeFileSync(join(outside, "canary"), "canary");
});
let mounted: Disposable | undefined;
afterEach(() => {
  mounted?.[Symbol.dispose]();
  mounted = undefined;
  rmSync(outside, { recursive: true });
});

/** The ways a layer is kept. Both give the same files. */
const ways = ["unpacked", "indexed"] as const;
let way: (typeof ways)[number] = "unpacked";

async function apply(...parts: readonly Uint8Array[]): Promise<LayerTotals> {
  const tar = streamOf(archive(...parts));
  if (way === "unpacked") return applyLayer(layer, tar);
  const totals = await indexInto(layer, tar);
  const mount = mountIndexed(layer);
  mounted = mount;
  layer = mount.path;
  return totals;
}

const directory = (name: string, mode = 0o755) => header({ name: `${name}/`, flag: "5", mode, mtime: 1000 });
const file = (name: string, text = "") => header({ name, size: text.length, mtime: 2000 }, text);
const symlink = (name: string, linkName: string) => header({ name, flag: "2", linkName });
const hardlink = (name: string, linkName: string) => header({ name, flag: "1", linkName });
const at = (path: string) => join(layer, path);
const isWhiteout = (path: string) => lstatSync(at(path)).isCharacterDevice() && lstatSync(at(path)).rdev === 0;

function xattrsOf(path: string): Record<string, string> {
  using root = Root.open(layer);
  return withFd(root.open(path, O.PATH), (fd) =>
    Object.fromEntries(listxattr(fd).map((name) => [name, Buffer.from(getxattr(fd, name) ?? []).toString()])),
  );
}

const isOpaque = (path: string) => xattrsOf(path)["trusted.overlay.opaque"] === "y";

describe.each([...ways])("a layer that is %s", (name) => {
  beforeEach(() => {
    way = name;
  });
  afterEach(() => {
    way = "unpacked";
  });

  describe("removals", () => {
    test("of a name and of a directory's content", async () => {
      const totals = await apply(
        directory("d"),
        header({ name: "d/.wh.gone" }),
        directory("o"),
        header({ name: "o/.wh..wh..opq" }),
      );
      expect(isWhiteout("d/gone")).toBe(true);
      expect(isOpaque("o")).toBe(true);
      expect(isOpaque("d")).toBe(false);
      expect(readdirSync(at("o"))).toEqual([]);
      expect(totals).toMatchObject({ opaque: "some", entries: 4 });
    });

    test("concern lower layers alone: a directory of the same layer stays, and hides", async () => {
      await apply(
        directory("a"),
        file("a/f"),
        header({ name: ".wh.a" }),
        header({ name: ".wh.b" }),
        directory("b"),
        file("b/f"),
      );
      for (const name of ["a", "b"]) {
        expect(readdirSync(at(name))).toEqual(["f"]);
        expect(isOpaque(name)).toBe(true);
      }
    });

    test("concern lower layers alone: a file of the same layer stays", async () => {
      await apply(file("a", "kept"), header({ name: ".wh.a" }), header({ name: ".wh.b" }), file("b", "kept"));
      expect([readFileSync(at("a"), "utf8"), readFileSync(at("b"), "utf8")]).toEqual(["kept", "kept"]);
    });

    test("twice, as hard links, and with aufs' own files", async () => {
      const aufs = [directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"), file(".wh..wh.aufs")];
      await apply(...aufs, hardlink(".wh.x", ".wh..wh.aufs"), header({ name: ".wh.x" }));
      expect(readdirSync(layer)).toEqual(["x"]);
      expect(isWhiteout("x")).toBe(true);
    });

    test.each([".wh.", ".wh..", ".wh..."])("%s removes no name", async (name) => {
      await expect(apply(directory("d"), header({ name: `d/${name}` }))).rejects.toMatchObject({
        code: "invalid_argument",
      });
    });
  });

  describe("directories", () => {
    test("have their own times and modes, whatever is written into them", async () => {
      await apply(
        directory(".", 0o711),
        directory("closed", 0),
        file("closed/f"),
        directory("set", 0o2770),
        file("set/g"),
      );
      expect(lstatSync(layer)).toMatchObject({ mode: 0o40711, mtimeMs: 1_000_000 });
      expect(lstatSync(at("closed"))).toMatchObject({ mode: 0o40000, mtimeMs: 1_000_000 });
      expect(lstatSync(at("set")).mode).toBe(0o42770);
      expect(lstatSync(at("set/g")).gid).toBe(process.getegid?.() ?? -1);
    });

    test("that no entry makes are root's, with mode 0755", async () => {
      await apply(file("a/b/f"));
      expect(lstatSync(at("a/b"))).toMatchObject({ mode: 0o40755, uid: 0, gid: 0 });
      expect(lstatSync(layer).mode).toBe(0o40755);
    });

    test("are merged where they come twice, and give way to other types", async () => {
      await apply(
        directory("d"),
        file("d/f"),
        directory("d", 0o700),
        file("d/g"),
        directory("e"),
        file("e/f"),
        file("e", "now a file"),
      );
      expect(readdirSync(at("d")).sort()).toEqual(["f", "g"]);
      expect(lstatSync(at("d")).mode).toBe(0o40700);
      expect(readFileSync(at("e"), "utf8")).toBe("now a file");
    });
  });

  describe("names stay in the layer", () => {
    test("absolute ones, and those with dots that stay inside", async () => {
      await apply(
        file("/etc/passwd", "mine"),
        file("./x/../y", "y"),
        hardlink("/z", "/etc/passwd"),
        file("//a//b", "b"),
      );
      expect(readFileSync(at("etc/passwd"), "utf8")).toBe("mine");
      expect(readFileSync(at("y"), "utf8")).toBe("y");
      expect(lstatSync(at("z")).ino).toBe(lstatSync(at("etc/passwd")).ino);
      expect(readFileSync(at("a/b"), "utf8")).toBe("b");
    });

    const escapes: readonly (readonly [string, readonly Uint8Array[]])[] = [
      ["a file", [file("../../../canary", "x")]],
      ["a file, further in", [file("a/../../canary", "x")]],
      ["an absolute file", [file("/../../../canary", "x")]],
      ["a directory", [directory("..")]],
      ["a removal", [header({ name: "../../../.wh.canary" })]],
      ["a hard link's name", [file("f"), hardlink("../f", "f")]],
      ["a hard link's target", [hardlink("f", "../../../canary")]],
      ["a hard link's absolute target", [hardlink("f", "/../../../canary")]],
      ["a name in a PAX record", [pax(record("path", "../../../canary")), file("f", "x")]],
    ];
    test.each([...escapes])("%s that leads out is refused by name", async (_, parts) => {
      const failure = await apply(...parts).catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({
        code: "invalid_argument",
        message: expect.stringContaining("leads out of the layer"),
      });
      expect(String((failure as { subject: unknown }).subject)).toMatch(/canary|\.\.|f/);
      expect(readFileSync(join(outside, "canary"), "utf8")).toBe("canary");
    });

    test("when they go through links of the layer, however those point", async () => {
      await apply(
        symlink("up", "../../.."),
        symlink("absolute", outside),
        symlink("etc-link", "/etc"),
        symlink("proc", "/proc/self/root"),
        directory("etc"),
        file("up/canary", "x"),
        file("etc-link/passwd", "mine"),
        symlink("up/link", "x"),
        directory("up/made", 0o700),
        header({ name: "up/.wh.removed" }),
      );
      expect(readFileSync(at("canary"), "utf8")).toBe("x");
      expect(readFileSync(at("etc/passwd"), "utf8")).toBe("mine");
      expect(lstatSync(at("made")).mode).toBe(0o40700);
      expect(isWhiteout("removed")).toBe(true);
      expect(readFileSync(join(outside, "canary"), "utf8")).toBe("canary");
      expect(readFileSync(join(outside, "etc/passwd"), "utf8")).toBe("canary");
      expect(readdirSync(outside).sort()).toEqual(["a", "canary", "etc"]);
    });

    test("when a directory becomes a link after it was written to", async () => {
      await apply(
        directory("d"),
        file("d/f"),
        symlink("d", "../../.."),
        file("d/canary", "x"),
        directory("d", 0o700),
        file("d/g"),
      );
      expect(readFileSync(join(outside, "canary"), "utf8")).toBe("canary");
      expect(readFileSync(at("canary"), "utf8")).toBe("x");
      expect(readdirSync(at("d"))).toEqual(["g"]);
    });

    test("when a directory's metadata come after it became a link", async () => {
      const before = lstatSync(join(outside, "etc"));
      await apply(directory("x"), directory("x/etc", 0o777), symlink("x", "../../.."));
      expect(lstatSync(join(outside, "etc"))).toMatchObject({ mode: before.mode, mtimeMs: before.mtimeMs });
    });

    test("when a hard link's target is a link: it is linked itself", async () => {
      await apply(
        symlink("l", "/etc/passwd"),
        hardlink("h", "l"),
        symlink("up", "../../.."),
        file("canary2", "x"),
        hardlink("i", "up/canary2"),
      );
      expect(readlinkSync(at("h"))).toBe("/etc/passwd");
      expect(lstatSync(at("i")).ino).toBe(lstatSync(at("canary2")).ino);
    });
  });

  describe("entries that cannot be made", () => {
    const long = "x/".repeat(3000);
    const cases: readonly (readonly [string, readonly Uint8Array[], string, string])[] = [
      ["a hard link to nothing", [hardlink("h", "nothing/there")], "invalid_argument", "not in the layer"],
      ["a hard link to itself", [hardlink("h", "h")], "invalid_argument", "not in the layer"],
      ["a hard link to a directory", [directory("d"), hardlink("h", "d")], "invalid_argument", "is a directory"],
      [
        "a hard link to what is removed",
        [header({ name: ".wh.f" }), hardlink("h", "f")],
        "invalid_argument",
        "not in the layer",
      ],
      ["a link without a target", [symlink("l", "")], "invalid_argument", "no target"],
      ["a link to a long way", [pax(record("linkpath", long)), symlink("l", "x")], "invalid_argument", "too long"],
      ["a long path", [pax(record("path", long)), file("f")], "invalid_argument", "too long"],
      ["a long name", [pax(record("path", "n".repeat(300))), file("f")], "invalid_argument", "ENAMETOOLONG"],
      ["a file in a file", [file("f"), file("f/g")], "invalid_argument", "ENOTDIR"],
      ["a file behind a loop", [symlink("l", "l"), file("l/f")], "invalid_argument", "ELOOP"],
      ["a root that is a file", [file(".")], "invalid_argument", "root is a file"],
      ["a device that cannot be", [header({ name: "d", flag: "3", major: 4096 })], "invalid_argument", "4096:0"],
    ];
    test.each([...cases])("%s", async (_, parts, code, message) => {
      await expect(apply(...parts)).rejects.toMatchObject({
        code,
        op: "unpack",
        message: expect.stringContaining(message),
      });
    });

    test("a root that is a link", async () => {
      await expect(apply(symlink(".", "/etc"))).rejects.toMatchObject({ code: "invalid_argument" });
    });
  });

  describe("attributes", () => {
    test("are set, but not those that would speak to overlayfs or the host's policy", async () => {
      const names = [
        "user.mine",
        "trusted.mine",
        "trusted.overlay.redirect",
        "user.overlay.opaque",
        "security.selinux",
      ];
      const records = names.map((name) => record(`SCHILY.xattr.${name}`, "/etc"));
      await apply(pax(...records), file("f"), pax(...records), directory("d"));
      for (const path of ["f", "d"]) expect(Object.keys(xattrsOf(path)).sort()).toEqual(["trusted.mine", "user.mine"]);
    });

    test("and set-uid survive the change of owner", async () => {
      await apply(header({ name: "s", mode: 0o6755, uid: 1000, gid: 1000 }));
      expect(lstatSync(at("s"))).toMatchObject({ mode: 0o106755, uid: 1000, gid: 1000 });
    });
  });
});

describe("a store that runs out", () => {
  test("of room names the layer and leaves nothing", async () => {
    const store = join(outside, "store");
    mkdirSync(store);
    mount("tmpfs", store, "tmpfs", 0, "size=1m");
    try {
      const snapshotter = new OverlayDirectories(join(store, "layers"));
      const sample = sampleLayer(directory("d"), file("d/small", "x"), file("d/large", "x".repeat(2 << 20)));
      const failure = await snapshotter
        .apply(sample.diffId, streamOf(sample.bytes, undefined, 65_536))
        .catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ code: "resource_exhausted", subject: sample.diffId });
      expect(String((failure as Error).message)).toContain('"d/large"');
      expect(snapshotter.has(sample.diffId)).toBe(false);
      expect(readdirSync(join(store, "layers/ingest"))).toEqual([]);
      const small = sampleLayer(file("small"));
      await snapshotter.apply(small.diffId, streamOf(small.bytes));
    } finally {
      umount(store, UMOUNT.NOFOLLOW);
    }
  });

  test("of inodes too", async () => {
    const store = join(outside, "store");
    mkdirSync(store);
    mount("tmpfs", store, "tmpfs", 0, "nr_inodes=64");
    try {
      const snapshotter = new OverlayDirectories(join(store, "layers"));
      const sample = sampleLayer(...[...Array(100).keys()].map((i) => file(`f${i}`)));
      await expect(snapshotter.apply(sample.diffId, streamOf(sample.bytes))).rejects.toMatchObject({
        code: "resource_exhausted",
      });
      expect(readdirSync(join(store, "layers/ingest"))).toEqual([]);
    } finally {
      umount(store, UMOUNT.NOFOLLOW);
    }
  });
});

describe("without privilege", () => {
  /** Unpacks as nobody, and gives the error's description. */
  async function asNobody(...parts: readonly Uint8Array[]): Promise<string> {
    const program = `
      const { applyLayer } = await import("${join(import.meta.dir, "../../src/image/layers/apply/apply-layer.ts")}");
      async function* tar() { yield Buffer.from(process.argv[2], "base64"); }
      await applyLayer(process.argv[1], tar()).catch((failure) => console.log(failure.code + " " + failure.describe()));
    `;
    const own = join(tmpdir(), `galley-nobody-${process.pid}-${parts[0]?.length ?? 0}`);
    mkdirSync(own, { mode: 0o777 });
    Bun.spawnSync(["chown", "65534:65534", own]);
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    const { stdout } = Bun.spawnSync(
      [...nobody, process.execPath, "-e", program, own, archive(...parts).toString("base64")],
      {
        env: { HOME: "/nonexistent", BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
        stderr: "inherit",
      },
    );
    rmSync(own, { recursive: true });
    return stdout.toString();
  }

  test("a device is refused by name, with what to do", async () => {
    const told = await asNobody(header({ name: "dev/sda", flag: "4", major: 8, minor: 0, uid: 65534, gid: 65534 }));
    expect(told).toStartWith('permission_denied unpack "dev/sda": the layer holds a block device (8:0)');
    expect(told).toContain("(run as root)");
  });

  test("another's file is refused by name", async () => {
    expect(await asNobody(file("f"), directory("d"))).toMatch(/^permission_denied unpack "f": EPERM/);
  });

  test("one's own files and removals are made", async () => {
    const own = { uid: 65534, gid: 65534 };
    expect(
      await asNobody(
        header({ name: "d/", flag: "5", ...own }),
        header({ name: "d/f", ...own }),
        header({ name: "d/.wh.x" }),
      ),
    ).toBe("");
  });
});
