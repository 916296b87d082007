import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { writeFileAtomic } from "../state/atomic-file.ts";

const DIGEST_SIZE = 32;
const OTHERS_MAY_WRITE = 0o022;

/**
 * Compiled seccomp programs on disk, each behind its SHA-256 in a file named by its key. The directory is its owner's alone: a
 * file that someone else could have written is not read, nor is one that is damaged.
 * @param make compiles the program where it is not kept yet
 */
export function cachedProgram(directory: string, key: string, make: () => Uint8Array): Uint8Array {
  const path = `${directory}/${key}`;
  const kept = readProgram(path);
  if (kept !== undefined) return kept;
  const program = make();
  keepProgram(directory, path, program);
  return program;
}

function readProgram(path: string): Uint8Array | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const { uid, mode } = fstatSync(fd);
    if (uid !== process.geteuid?.() || (mode & OTHERS_MAY_WRITE) !== 0) return undefined;
    return verified(readFileSync(fd));
  } catch {
    return undefined; // not there, or not readable: it is compiled
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function verified(content: Uint8Array): Uint8Array | undefined {
  const program = content.subarray(DIGEST_SIZE);
  if (program.length === 0 || program.length % 8 !== 0) return undefined;
  return Buffer.compare(digest(program), content.subarray(0, DIGEST_SIZE)) === 0 ? program : undefined;
}

/** A full disk or a read-only one costs the next container some milliseconds, not this one its start. */
function keepProgram(directory: string, path: string, program: Uint8Array): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileAtomic(path, Buffer.concat([digest(program), program]));
  } catch {}
}

function digest(program: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(program).digest();
}
