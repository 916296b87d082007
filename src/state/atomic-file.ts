import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

/**
 * Replaces `path` with `content` so that a reader sees the old file or the new one, whatever is killed in between.
 * `durable` also survives a power cut, at the price of an fsync (milliseconds).
 */
export function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  options: { readonly mode?: number; readonly durable?: boolean } = {},
): void {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const fd = openSync(temporary, "wx", options.mode ?? 0o600);
    try {
      writeAll(fd, typeof content === "string" ? Buffer.from(content) : content);
      if (options.durable === true) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (failure) {
    rmSync(temporary, { force: true });
    throw failure;
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
