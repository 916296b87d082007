/** Archives that are compressed with xz and bzip2, which `load` and `import` take. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage, writeLayout } from "../harness/image-builder.ts";
import { testWith } from "../harness/requirements.ts";
import { file, tar } from "../harness/tar.ts";

let store: Store;
let folder: string;
beforeAll(async () => {
  store = createStore();
  folder = mkdtempSync(join(tmpdir(), "galley-old-formats-"));
  writeLayout(join(folder, "layout"), "1", buildImage({ layers: [{ entries: [file("etc/hostname", "galley\n")] }] }));
  writeFileSync(join(folder, "rootfs.tar"), tar([file("etc/hostname", "imported\n")]));
  await store.ok([
    "copy",
    "-q",
    `oci:${join(folder, "layout")}:1`,
    `docker-archive:${join(folder, "saved.tar")}:old/image:1`,
  ]);
});
afterAll(async () => {
  await store?.cleanup();
  rmSync(folder, { recursive: true, force: true });
});

/** The file as the program makes it, beside it. */
function packed(name: string, program: string): string {
  const { stdout, exitCode } = Bun.spawnSync([program, "-c", join(folder, name)]);
  expect(exitCode).toBe(0);
  const path = join(folder, `${name}.${program}`);
  writeFileSync(path, stdout);
  return path;
}

for (const program of ["xz", "bzip2"]) {
  describe(program, () => {
    testWith({ commands: [program] }, "is loaded, from a file and from standard input", async () => {
      const path = packed("saved.tar", program);
      expect(await store.ok(["load", "-i", path])).toContain("old/image:1");
      await store.ok(["rmi", "old/image:1"]);
      expect(await store.ok(["load"], { stdin: readFileSync(path) })).toContain("old/image:1");
      await store.ok(["rmi", "old/image:1"]);
    });

    testWith({ commands: [program] }, "is imported", async () => {
      await store.ok(["import", packed("rootfs.tar", program), `imported/${program}:1`]);
      const saved = join(folder, `${program}-layer`);
      await store.ok(["copy", "-q", `containers-storage:imported/${program}:1`, `dir:${saved}`]);
      const manifest = JSON.parse(readFileSync(join(saved, "manifest.json"), "utf8"));
      const layer = readFileSync(join(saved, manifest.layers[0].digest.slice("sha256:".length)));
      expect(Buffer.from(layer).includes("imported\n")).toBeTrue();
    });

    testWith({ commands: [program] }, "that is damaged is refused in the program's words", async () => {
      const path = packed("saved.tar", program);
      writeFileSync(path, readFileSync(path).subarray(0, -20));
      const { status, stderr } = await store.galley(["load", "-i", path]);
      expect({ status, stderr }).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(
          new RegExp(`${program} data is damaged: ${program}: .*(Unexpected|unexpectedly)`),
        ),
      });
    });

    test("without its program is refused with the package that has it", async () => {
      const head =
        { xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], bzip2: [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41] }[program] ?? [];
      const path = join(folder, `head.${program}`);
      writeFileSync(path, Buffer.from([...head, 1, 2, 3]));
      const { status, stderr } = await store.galley(["load", "-i", path], { env: { PATH: "/nowhere" } });
      expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining("apt-get install -y") });
    });
  });
}
