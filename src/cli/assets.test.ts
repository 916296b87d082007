import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxBinary, hostBusybox, isStatic, nativeProgram } from "./assets.ts";

let root: string;
const givenNative = process.env.GALLEY_NATIVE;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "galley-assets-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
  if (givenNative === undefined) delete process.env.GALLEY_NATIVE;
  else process.env.GALLEY_NATIVE = givenNative;
});

/** An ELF header with program headers of the given types. */
function elf(types: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(64 + types.length * 56);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, types.length, true);
  for (const [index, type] of types.entries()) view.setUint32(64 + index * 56, type, true);
  return bytes;
}

test("a program without an interpreter is static", () => {
  expect(isStatic(elf([1, 2, 4]))).toBe(true);
  expect(isStatic(elf([]))).toBe(true);
});

test("a program with an interpreter, cut short or not ELF is not static", () => {
  expect(isStatic(elf([1, 3]))).toBe(false);
  expect(isStatic(elf([1, 2]).subarray(0, 100))).toBe(false);
  expect(isStatic(new TextEncoder().encode(`#!/bin/sh\n${"#".repeat(100)}`))).toBe(false);
});

test("the first static program among the places is the host's busybox", () => {
  const [script, dynamic, found] = ["script", "dynamic", "static"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(script, "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(dynamic, elf([3]), { mode: 0o755 });
  writeFileSync(found, elf([1]), { mode: 0o755 });
  expect(hostBusybox([join(root, "absent"), script, dynamic, found])).toEqual(readFileSync(found));
  expect(hostBusybox([script, dynamic])).toBeUndefined();
  chmodSync(found, 0o644);
  expect(hostBusybox([found])).toBeUndefined();
});

test("a clone takes the native program that GALLEY_NATIVE names and says where it looked", () => {
  const path = join(root, "native");
  process.env.GALLEY_NATIVE = path;
  expect(() => nativeProgram({ root }, undefined)).toThrow("the native program is not there");
  writeFileSync(path, "x", { mode: 0o755 });
  expect(nativeProgram({ root }, undefined)).toBe(path);
});

test("the executable writes its native program once and mends an empty one", () => {
  const native = join(root, "embedded-native");
  const busybox = join(root, "embedded-busybox");
  writeFileSync(native, "program");
  writeFileSync(busybox, Bun.zstdCompressSync("box"));
  const embedded = { native, nativeDigest: "0123456789abcdef", busybox };
  const store = join(root, "store");

  const path = nativeProgram({ root: store }, embedded);
  expect(path).toBe(join(store, "libexec/galley-native-0123456789ab"));
  expect(readFileSync(path, "utf8")).toBe("program");
  const written = statSync(path);
  expect(written.mode & 0o777).toBe(0o755);

  expect(nativeProgram({ root: store }, embedded)).toBe(path);
  expect(statSync(path).ino).toBe(written.ino);
  writeFileSync(path, "");
  expect(readFileSync(nativeProgram({ root: store }, embedded), "utf8")).toBe("program");
  expect(readdirSync(join(store, "libexec"))).toEqual(["galley-native-0123456789ab"]);
  expect(new TextDecoder().decode(busyboxBinary(embedded))).toBe("box");
});
