import { closeSync, fstatSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../../errors.ts";
import { writeAll } from "./raw-file.ts";

/** Where an archive goes, byte after byte. */
export interface Output {
  write(bytes: Uint8Array): Promise<void>;
  /** Writes over what was written before; absent where that is impossible. */
  readonly patch?: ((position: number, bytes: Uint8Array) => Promise<void>) | undefined;
  /** Everything is written: the archive appears under its name. */
  finish(): Promise<void>;
  /** Lets go; what is not finished is removed, or cut off where others read it already. */
  close(): Promise<void>;
}

/** A file that appears when it is finished; what is no regular file (a pipe, `/dev/stdout`) is written as it is. */
export function fileOutput(path: string): Output {
  const kind = special(path);
  if (kind !== undefined) return descriptorOutput(kind, path, true);
  const temporary = `${path}.partial-${crypto.randomUUID()}`;
  const fd = guarded(path, () => openSync(temporary, "wx", 0o644));
  let position = 0;
  let open = true;
  const end = () => {
    if (open) closeSync(fd);
    open = false;
  };
  return {
    async write(bytes) {
      const at = position;
      position += bytes.length;
      await writeAll(fd, bytes, at).catch((failure: unknown) => fail(failure, path));
    },
    patch: (at, bytes) => writeAll(fd, bytes, at).catch((failure: unknown) => fail(failure, path)),
    async finish() {
      end();
      guarded(path, () => renameSync(temporary, path));
    },
    async close() {
      end();
      rmSync(temporary, { force: true });
    },
  };
}

/** Archives of docker save are not added to: a file that holds something is left alone. */
export function refuseExisting(path: string): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isFile() !== true || there.size === 0) return;
  throw new GalleyError("already_exists", "docker-archive doesn't support modifying existing images", {
    op: "write",
    subject: path,
    hint: "name another file, or remove this one",
  });
}

function special(path: string): number | undefined {
  try {
    const fd = openSync(path, "r+");
    if (!fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch (failure) {
    // Some devices and pipes can only be written; what is not there becomes a file.
    const { code } = failure as { code?: unknown };
    if (code === "ENXIO" || code === "EACCES" || code === "EINVAL") return guarded(path, () => openSync(path, "w"));
  }
  return undefined;
}

/** A descriptor that is open already, such as standard output. */
export function descriptorOutput(fd: number, name: string, own = false): Output {
  return {
    write: (bytes) => writeAll(fd, bytes, null).catch((failure: unknown) => fail(failure, name)),
    async finish() {},
    async close() {
      if (own) closeSync(fd);
    },
  };
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (failure) {
    return fail(failure, path);
  }
}

function fail(failure: unknown, path: string): never {
  throw toGalleyError(failure, { op: "write", subject: path });
}

/** What is written can be read from `content` as it comes; each write waits until it was taken. */
export function pipeOutput(): Output & { readonly content: AsyncGenerator<Uint8Array> } {
  let offered: { readonly bytes: Uint8Array; readonly taken: () => void } | undefined;
  let state: "open" | "finished" | "broken" = "open";
  let wake: () => void = () => undefined;
  let stopped = false;
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (offered !== undefined) {
          const { bytes, taken } = offered;
          offered = undefined;
          yield bytes;
          taken();
        } else if (state === "finished") return;
        else if (state === "broken") throw new Error("the archive was not finished");
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      stopped = true;
      offered?.taken();
    }
  }
  const change = (next: "finished" | "broken") => {
    if (state === "open") state = next;
    wake();
  };
  return {
    content: content(),
    async write(bytes) {
      if (stopped || bytes.length === 0) return;
      await new Promise<void>((taken) => {
        offered = { bytes, taken };
        wake();
      });
    },
    async finish() {
      change("finished");
    },
    async close() {
      change("broken");
    },
  };
}
