import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archive, header } from "../../src/image/layers/tar/test-blocks.ts";
import { mountOfLoops } from "../../src/image/snapshot/mount-loops.ts";
import { streamOf } from "../../src/image/snapshot/snapshotter-suite.ts";
import { attachMount, close, UMOUNT, umount } from "../../src/linux/sys/sys.ts";
import { indexInto } from "./indexed.ts";

/** Loop devices over files in the directory. */
function loopsOver(directory: string): readonly string[] {
  const backing = (name: string) => `/sys/block/${name}/loop/backing_file`;
  const names = [...new Bun.Glob("loop*").scanSync({ cwd: "/sys/block", onlyFiles: false })];
  return names.filter((name) => {
    try {
      return readFileSync(backing(name), "utf8").startsWith(directory);
    } catch {
      return false;
    }
  });
}

test.skipIf(!existsSync("/dev/loop-control"))(
  "kernels that mount no files mount loop devices, which go with the mount (skipped where there are none)",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "galley-loops-"));
    await indexInto(directory, streamOf(archive(header({ name: "f", size: 700 }, "a".repeat(700)))));
    const fd = mountOfLoops({ index: join(directory, "index.erofs"), tar: join(directory, "layer.tar") }, 0);
    const path = join(directory, "mount");
    mkdirSync(path);
    attachMount(fd, path);
    close(fd);
    expect(readFileSync(join(path, "f"), "utf8")).toBe("a".repeat(700));
    expect(loopsOver(directory)).toHaveLength(2);
    umount(path, UMOUNT.NOFOLLOW);
    expect(loopsOver(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
  },
);
