import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { Root, removeTree, walk } from "../../linux/fs-at/fs-at.ts";
import { AT_FDCWD, close, fstat, isErrno, O, openat, tryFlock } from "../../linux/sys/sys.ts";

/** Directory, within that of all layers, for what is not whole yet, or no more. */
const INGEST = "ingest";

/**
 * A directory in which something is being put together or taken apart. Its owner holds a lock on it for as long as it lives, so that
 * what a killed process left is known by its lock being free.
 */
export class Ingest implements Disposable {
  private constructor(
    private readonly layers: string,
    readonly name: string,
    private readonly fd: number,
  ) {}

  get path(): string {
    return join(this.layers, INGEST, this.name);
  }

  static create(layers: string): Ingest {
    mkdirSync(join(layers, INGEST), { recursive: true, mode: 0o700 });
    for (;;) {
      const name = randomBytes(8).toString("hex");
      mkdirSync(join(layers, INGEST, name), { mode: 0o700 });
      const fd = lockDirectory(join(layers, INGEST, name));
      if (fd !== undefined) return new Ingest(layers, name, fd);
    }
  }

  /** Deletes what is still in its place. A failure to do so is added to `failure`, or thrown where there is none. */
  discard(failure?: unknown): void {
    try {
      using root = Root.open(join(this.layers, INGEST));
      removeTree(root, this.name);
    } catch (cleanup) {
      if (failure instanceof GalleyError) failure.cleanup.push(cleanup);
      else if (failure === undefined) throw cleanup;
    }
  }

  /** Gives the lock back. */
  [Symbol.dispose](): void {
    close(this.fd);
  }
}

/** The locked descriptor of a directory; `undefined` where somebody else has it locked or has deleted it meanwhile. */
function lockDirectory(path: string): number | undefined {
  let fd: number;
  try {
    fd = openat(AT_FDCWD, path, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
  } catch (failure) {
    if (isErrno(failure, "ENOENT")) return undefined;
    throw failure;
  }
  const there = tryFlock(fd, "exclusive") ? statSync(path, { bigint: true, throwIfNoEntry: false }) : undefined;
  if (there?.ino === fstat(fd).inode) return fd;
  close(fd);
  return undefined;
}

/** Deletes what killed processes left; gives its bytes. What cannot be deleted now is left to the next time. */
export function cleanIngests(layers: string): number {
  let freed = 0;
  for (const name of namesIn(join(layers, INGEST))) {
    const fd = lockDirectory(join(layers, INGEST, name));
    if (fd === undefined) continue;
    try {
      using root = Root.open(join(layers, INGEST));
      const size = sizeOf(root, name);
      removeTree(root, name);
      freed += size;
    } catch {
      // It stays where nobody sees it; whoever needs the room that it takes is told of that by its own failure.
    } finally {
      close(fd);
    }
  }
  return freed;
}

function sizeOf(root: Root, name: string): number {
  let size = 0;
  for (const { kind, status } of walk(root, name)) if (kind === "other" && status.type === "file") size += status.size;
  return size;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (failure) {
    if (isErrno(failure, "ENOENT")) return [];
    throw failure;
  }
}
