import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A squashfs of a directory, made by mksquashfs(1) with these flags beside the usual ones. */
export function squashfsOf(directory: string, flags: readonly string[] = []): Buffer {
  const path = join(tmpdir(), `galley-squashfs-${crypto.randomUUID()}`);
  try {
    const made = Bun.spawnSync(["mksquashfs", directory, path, "-noappend", "-no-progress", "-quiet", ...flags]);
    if (made.exitCode !== 0) throw new Error(`mksquashfs: ${made.stderr.toString()}`);
    return readFileSync(path);
  } finally {
    rmSync(path, { force: true });
  }
}
