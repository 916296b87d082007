import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { type Machine, syscallNumbers, X32_BIT } from "./numbers.ts";

test.each([
  ["x86_64", "read", 0],
  ["x86_64", "rseq", 334],
  ["x86_64", "pidfd_send_signal", 424],
  ["x86_64", "clone3", 435],
  ["x86_64", "listns", 470],
  ["x86", "socketcall", 102],
  ["x86", "socket", 359],
  ["x86", "clock_gettime64", 403],
  ["aarch64", "openat", 56],
  ["aarch64", "clone3", 435],
  ["arm", "openat", 322],
  ["arm", "set_tls", 983_045],
  ["x32", "read", X32_BIT],
  ["x32", "ioctl", X32_BIT + 514],
  ["x32", "execveat", X32_BIT + 545],
] as const)("%s %s is %d", (machine, name, number) => {
  expect(syscallNumbers(machine).get(name)).toBe(number);
});

test("no number is used twice, and no machine has calls of another", () => {
  for (const machine of ["x86_64", "x86", "x32", "aarch64", "arm"] as const) {
    const numbers = [...syscallNumbers(machine).values()];
    expect(new Set(numbers).size).toBe(numbers.length);
  }
  expect(syscallNumbers("x86_64").has("chown32")).toBe(false);
  expect(syscallNumbers("aarch64").has("open")).toBe(false);
  expect(syscallNumbers("x32").has("uselib")).toBe(false);
});

const headers: readonly [Machine, string][] = [
  ["x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"],
  ["x86", "/usr/include/x86_64-linux-gnu/asm/unistd_32.h"],
];

for (const [machine, path] of headers) {
  const reason = existsSync(path) ? "" : ` (skipped: ${path} is not installed)`;
  test.skipIf(reason !== "")(`${machine} agrees with the kernel's header${reason}`, () => {
    const numbers = syscallNumbers(machine);
    const lines = readFileSync(path, "utf8").matchAll(/#define __NR_(\w+)\s+([0-9]+)/g);
    for (const [, name = "", number] of lines) expect([name, numbers.get(name)]).toEqual([name, Number(number)]);
  });
}
