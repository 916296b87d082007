import { expect, test } from "bun:test";
import { syscallNumbers } from "../../src/linux/seccomp/numbers.ts";

const reason = process.arch === "x64" ? "" : " (skipped: the calls are x86-64's)";
const EPERM = -1;
const ENOSYS = -38;
const EBADF = -9;

async function callsUnderFilter(
  capabilities: readonly string[],
  calls: readonly (readonly [string, ...number[]])[],
): Promise<number[]> {
  const numbers = syscallNumbers("x86_64");
  const list = calls.map(([name, ...args]) => [numbers.get(name) ?? 999, ...args]);
  const script = new URL("seccomp-child.ts", import.meta.url).pathname;
  const child = Bun.spawn([process.execPath, script, JSON.stringify(capabilities), JSON.stringify(list)]);
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return JSON.parse(text) as number[];
}

test.skipIf(reason !== "")(`the kernel takes the default filter and decides by it${reason}`, async () => {
  const results = await callsUnderFilter(
    ["CAP_SYS_CHROOT"],
    [
      ["getpid"],
      ["close", 9999],
      ["socket", 1, 1],
      ["socket", 38, 5],
      ["socket", 40, 1],
      ["mount"],
      ["clone3"],
      ["unshare", 0],
      ["personality", 0xffff_ffff],
      ["personality", 0x4_0000],
      ["a call of the future"],
    ],
  );
  expect(results).toEqual([1, EBADF, 1, EPERM, EPERM, EPERM, ENOSYS, EPERM, 0, EPERM, ENOSYS]);
});

test.skipIf(reason !== "")(`capabilities open the filter for what they stand for${reason}`, async () => {
  const EFAULT = -14;
  const EINVAL = -22;
  const [unshare, mount, clone3] = await callsUnderFilter(
    ["CAP_SYS_ADMIN"],
    [["unshare", 0], ["mount", 1, 1], ["clone3"]],
  );
  expect(unshare).toBe(0);
  expect([EFAULT, EPERM]).toContain(mount ?? 0);
  expect(clone3).toBe(EINVAL);
});
