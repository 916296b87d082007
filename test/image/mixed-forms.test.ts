/** An image with a layer that the index has no form for: it is unpacked amid layers that are mounted, and nobody sees a difference. */
import { afterAll, beforeAll, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { archive, header } from "../../src/image/layers/tar/test-blocks.ts";
import { fileStore } from "../cli/container-flags.ts";
import { busyboxImage } from "../harness/fixtures.ts";
import { galleyProgram } from "../harness/galley.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { directory, file } from "../harness/tar.ts";

const needs = { root: true, commands: ["docker-registry", "tar"] };

/** A byte at an odd place of every stretch of 128 KiB: copies of all the chunks that have one would be far larger than the layer. */
const STRETCH = 1 << 17;
const PIECES = 16_500;
const SIZE = PIECES * STRETCH;
const strewn = header.sparse(
  { name: "d/strewn", size: PIECES, mtime: 10_000_000, mode: 0o640 },
  SIZE,
  [...Array(PIECES).keys()].map((i) => [i * STRETCH + 1, 1] as const),
);

const image = busyboxImage({
  layers: [
    {
      entries: [directory("d"), file("d/below", "below"), file("gone", "1"), directory("hidden"), file("hidden/a", "")],
    },
    {
      archive: archive(
        header({ name: "d/", flag: "5", mode: 0o755 }),
        strewn,
        Buffer.alloc(PIECES, "x"),
        header({ name: "d/link", flag: "1", linkName: "d/strewn" }),
        header({ name: ".wh.gone" }),
        header({ name: "hidden/.wh..wh..opq" }),
        header({ name: "middle", size: 6 }, "middle"),
      ),
    },
    { entries: [file("top", "top"), file("middle", "changed"), directory("hidden"), file("hidden/b", "b")] },
  ],
});

let registry: Registry;
let reference = "";
const store = fileStore();
const ok = (...args: readonly string[]) => store().ok(args);
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  registry = await startRegistry();
  reference = await registry.push("strewn", "1", image);
  await ok("pull", "-q", reference);
});
afterAll(() => registry?.stop());

/** How each layer is kept, by what is in its directory. */
function forms(): readonly string[] {
  const { rootfs } = JSON.parse(String(Buffer.from(image.blobs[0]?.bytes ?? []))) as {
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  return rootfs.diff_ids.map((diffId) => {
    const names = readdirSync(join(store().root, "layers", diffId.replace(":", "/")));
    return names.includes("index.erofs") ? "mounted" : "unpacked";
  });
}

const shown = `stat -c "%n %s %a %h %Y" /d/strewn; for at in 1 ${STRETCH + 1} ${SIZE - STRETCH + 1}; do dd if=/d/link bs=1 skip=$at count=2 2>/dev/null | od -An -c; done;
  cat /d/below /middle /top; ls -A /hidden; test -e /gone || echo gone`;
const seen = [
  `/d/strewn ${SIZE} 640 2 10000000`,
  ...["   x  \\0", "   x  \\0", "   x  \\0"],
  "belowchangedtopb",
  "gone",
].join("\n");

testWith(needs, "only that layer is unpacked", () => {
  expect(forms()).toEqual(["mounted", "mounted", "unpacked", "mounted"]);
});

testWith(needs, "a container sees one tree", async () => {
  expect(await ok("run", "--rm", reference, "sh", "-c", shown)).toBe(seen);
});

testWith(needs, "what a container changes in it is told, copied and committed as a layer", async () => {
  const changes = "echo more > /d/new; rm /d/link /top; echo b2 > /hidden/b";
  await ok("run", "--name", "changing", reference, "sh", "-c", changes);
  expect((await ok("diff", "changing")).split("\n").sort()).toEqual([
    "A /d/new",
    "C /d",
    "C /hidden",
    "C /hidden/b",
    "D /d/link",
    "D /top",
  ]);
  await ok("cp", "changing:/middle", store().home);
  expect(readFileSync(join(store().home, "middle"), "utf8")).toBe("changed");
  await ok("commit", "changing", "committed");
  const script = "stat -c '%s %h' /d/strewn; cat /d/new /d/below /hidden/b; ls -d /top /d/link 2>/dev/null || true";
  expect(await ok("run", "--rm", "committed", "sh", "-c", script)).toBe(`${SIZE} 2\nmore\nbelowb2`);
});

testWith(
  needs,
  "an export has all of it",
  async () => {
    await ok("create", "--name", "exported", reference);
    // Two gigabytes, which nobody needs on a disk.
    const env = { PATH: process.env.PATH, GALLEY_ROOT: store().root, GALLEY_RUNROOT: store().runroot };
    const script = '"$0" export exported | tar -tvf - d middle hidden top';
    const listed = Bun.spawnSync(["sh", "-c", script, galleyProgram()], { env }).stdout.toString();
    const lines = listed
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ +/));
    expect(lines.map(([mode, , size, , , ...name]) => `${mode} ${size} ${name.join(" ")}`).sort()).toEqual([
      `-rw-r----- ${SIZE} d/link`,
      "-rw-r--r-- 1 hidden/b",
      "-rw-r--r-- 3 top",
      "-rw-r--r-- 5 d/below",
      "-rw-r--r-- 7 middle",
      "drwxr-xr-x 0 d/",
      "drwxr-xr-x 0 hidden/",
      "hrw-r----- 0 d/strewn link to d/link",
    ]);
  },
  120_000,
);

testWith(needs, "image mount shows it", async () => {
  const path = await ok("image", "mount", reference);
  expect(statSync(join(path, "d/strewn")).size).toBe(SIZE);
  expect(readFileSync(join(path, "middle"), "utf8")).toBe("changed");
  expect(existsSync(join(path, "gone"))).toBe(false);
  expect(readdirSync(join(path, "hidden"))).toEqual(["b"]);
  await ok("image", "unmount", reference);
});

testWith(needs, "is pushed and saved as it came", async () => {
  const other = `${registry.host}/again:1`;
  await ok("tag", reference, other);
  await ok("push", "-q", other);
  expect(await ok("inspect", "-f", "{{.Digest}}", `docker://${other}`)).toBe(image.descriptor.digest);
});

testWith(needs, "a store of mounted layers alone refuses it, and keeps nothing of it", async () => {
  const base = join(store().base, "strict");
  const strict = { env: { GALLEY_ROOT: base, GALLEY_SNAPSHOTTER: "erofs" } };
  const { status, stderr } = await store().galley(["pull", "-q", reference], strict);
  expect(stderr).toContain("an index has no form for");
  expect(status).toBe(1);
  expect(await store().ok(["images", "-q"], strict)).toBe("");
});

testWith(needs, "system migrate gives it directories, and takes the others back", async () => {
  expect((await ok("system", "migrate", "--to", "directories")).split("\n").length).toBeGreaterThanOrEqual(3);
  expect(forms()).toEqual(["unpacked", "unpacked", "unpacked", "unpacked"]);
  expect(await ok("run", "--rm", reference, "sh", "-c", shown)).toBe(seen);
  const back = await store().galley(["system", "migrate", "--to", "erofs"]);
  expect(back.stderr).toMatch(/^sha256:[0-9a-f]{64}: an index has no form for it; it stays a directory\n$/);
  expect(back.status).toBe(0);
  expect(forms()).toEqual(["mounted", "mounted", "unpacked", "mounted"]);
  expect(await ok("run", "--rm", reference, "sh", "-c", shown)).toBe(seen);
});
