import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../errors.ts";
import { writeFileAtomic } from "../state/atomic-file.ts";
import type { StorePaths } from "../state/paths.ts";
import { type EmbeddedAssets, embeddedAssets } from "./embedded.ts";

/** Where Debian and other distributions put busybox. */
const busyboxPlaces = ["/bin/busybox", "/usr/bin/busybox", "/sbin/busybox"];

/** The program header that names a dynamic linker: elf(5). */
const PT_INTERP = 3;

/**
 * The absolute path of the native program.
 *
 * In a clone it is `GALLEY_NATIVE`, which the launcher sets, or `build/galley-native`. The released executable writes
 * its own copy once to `<root>/libexec/galley-native-<digest>`; later calls cost one stat. Versions of Galley that
 * share a root do not disturb each other, since each has a name of its own.
 */
export function nativeProgram(paths: Pick<StorePaths, "root">, embedded = embeddedAssets()): string {
  return embedded === undefined ? developmentNative() : embeddedNative(embedded, paths.root);
}

function developmentNative(): string {
  const path = process.env.GALLEY_NATIVE ?? join(import.meta.dir, "../../build/galley-native");
  if (isProgram(path)) return path;
  throw new GalleyError("not_found", "the native program is not there", {
    op: "find",
    subject: path,
    hint: "bin/galley compiles it, as does scripts/build-native.sh",
  });
}

function embeddedNative(embedded: EmbeddedAssets, root: string): string {
  const directory = join(root, "libexec");
  const path = join(directory, `galley-native-${embedded.nativeDigest.slice(0, 12)}`);
  if (isProgram(path)) return path;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Durable: an empty file after a power cut would pass for the program ever after.
    writeFileAtomic(path, readFileSync(embedded.native), { mode: 0o755, durable: true });
  } catch (failure) {
    throw toGalleyError(failure, {
      op: "write",
      subject: path,
      hint: "is the directory writable? --root names another",
    });
  }
  return path;
}

function isProgram(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size > 0 && (found.mode & 0o111) !== 0;
}

/**
 * The bytes of a busybox that needs no shared library: the embedded one, or the host's; undefined where there is none.
 */
export function busyboxBinary(embedded = embeddedAssets()): Uint8Array | undefined {
  if (embedded === undefined) return hostBusybox(busyboxPlaces);
  return Bun.zstdDecompressSync(readFileSync(embedded.busybox));
}

/** The first of `places` that holds a statically linked program. */
export function hostBusybox(places: readonly string[]): Uint8Array | undefined {
  for (const place of places) {
    const bytes = isProgram(place) ? readFileSync(place) : undefined;
    if (bytes !== undefined && isStatic(bytes)) return bytes;
  }
  return undefined;
}

/** Whether a 64-bit little-endian ELF file has no PT_INTERP header, and so needs no shared library: elf(5). */
export function isStatic(program: Uint8Array): boolean {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  if (program.length < 64 || view.getUint32(0) !== 0x7f454c46 || program[4] !== 2 || program[5] !== 1) return false;
  const table = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  for (let entry = 0; entry < view.getUint16(56, true); entry++) {
    const offset = table + entry * size;
    if (offset + 4 > program.length || view.getUint32(offset, true) === PT_INTERP) return false;
  }
  return true;
}
