import { expect, test } from "bun:test";
import {
  allCapabilities,
  capabilityName,
  capabilityNumber,
  capsetData,
  capsetHeader,
  defaultCapabilities,
  LAST_KNOWN_CAPABILITY,
  planCapabilities,
  readLastCapability,
  resolveCapabilities,
} from "./capabilities.ts";

test("names and numbers translate both ways, as in uapi/linux/capability.h", () => {
  expect(capabilityNumber("CAP_CHOWN")).toBe(0);
  expect(capabilityNumber("sys_admin")).toBe(21);
  expect(capabilityNumber("SETFCAP")).toBe(31);
  expect(capabilityNumber("CAP_MAC_OVERRIDE")).toBe(32);
  expect(capabilityNumber("CAP_CHECKPOINT_RESTORE")).toBe(40);
  expect(capabilityNumber("CAP_CAP_CHOWN")).toBeUndefined();
  expect(capabilityName(27)).toBe("CAP_MKNOD");
  expect(capabilityName(63)).toBe("CAP_63");
  for (let number = 0; number <= LAST_KNOWN_CAPABILITY; number += 1) {
    expect(capabilityNumber(capabilityName(number))).toBe(number);
  }
});

test("the kernel's last capability is read, and guessed where /proc is not there", () => {
  expect(readLastCapability(() => "37\n")).toBe(37);
  expect(readLastCapability(() => "")).toBe(40);
  expect(
    readLastCapability(() => {
      throw new Error("ENOENT");
    }),
  ).toBe(40);
});

test("without adds and drops the container has docker's fourteen", () => {
  expect(resolveCapabilities({}, 40)).toEqual(defaultCapabilities);
  expect(defaultCapabilities).toHaveLength(14);
});

test("drops are taken from the defaults, adds appended once", () => {
  const resolved = resolveCapabilities(
    { add: ["net_admin", "CHOWN", "CAP_NET_ADMIN"], drop: ["mknod", "CAP_KILL"] },
    40,
  );
  expect(resolved).toHaveLength(13);
  expect(resolved).toContain("CAP_NET_ADMIN");
  expect(resolved).not.toContain("CAP_MKNOD");
  expect(resolved).not.toContain("CAP_KILL");
});

test("ALL added is all but the drops; ALL dropped is the adds alone; both is all", () => {
  expect(resolveCapabilities({ add: ["ALL"], drop: ["SYS_ADMIN"] }, 40)).toHaveLength(40);
  expect(resolveCapabilities({ add: ["NET_RAW"], drop: ["all"] }, 40)).toEqual(["CAP_NET_RAW"]);
  expect(resolveCapabilities({ drop: ["ALL"] }, 40)).toEqual([]);
  expect(resolveCapabilities({ add: ["ALL"], drop: ["ALL"] }, 40)).toHaveLength(41);
});

test("a privileged container has what the kernel has", () => {
  expect(resolveCapabilities({ privileged: true, drop: ["ALL"] }, 37)).toEqual(allCapabilities(37));
  expect(allCapabilities(37).at(-1)).toBe("CAP_AUDIT_READ");
});

test("unknown names and those beyond the kernel are refused by name", () => {
  expect(() => resolveCapabilities({ add: ["frobnicate"] }, 40)).toThrow('unknown capability: "CAP_FROBNICATE"');
  expect(() => resolveCapabilities({ drop: [""] }, 40)).toThrow('unknown capability: "CAP_"');
  expect(() => resolveCapabilities({ add: ["BPF"] }, 37)).toThrow('not supported by your kernel: "CAP_BPF"');
});

test("capset's structures have the kernel's layout", () => {
  expect([...capsetHeader()]).toEqual([0x22, 0x05, 0x08, 0x20, 0, 0, 0, 0]);
  const words = new Uint32Array(capsetData((1n << 40n) | 1n, 1n << 31n, 1n << 32n).buffer);
  expect([...words]).toEqual([1, 0x8000_0000, 0, 1 << 8, 0, 1]);
});

test("a plan drops what is not in the bounding set and reports unknown names once", () => {
  const sets = {
    bounding: ["CAP_CHOWN", "CAP_BPF"],
    effective: ["CAP_CHOWN", "CAP_X"],
    permitted: ["CAP_X"],
    ambient: ["CAP_KILL"],
  };
  const plan = planCapabilities(sets, 3);
  expect(plan.boundingDrops).toEqual([1, 2, 3]);
  expect(plan.unknown).toEqual(["CAP_BPF", "CAP_X", "CAP_KILL"]);
  expect(plan.ambient).toEqual([]);
  expect([...new Uint32Array(plan.data.buffer)]).toEqual([1, 0, 0, 0, 0, 0]);
});

test("a full bounding set needs no drop", () => {
  const all = allCapabilities(40);
  const plan = planCapabilities({ bounding: all, effective: all, permitted: all, inheritable: all, ambient: all }, 40);
  expect(plan.boundingDrops).toEqual([]);
  expect(plan.ambient).toHaveLength(41);
  expect([...new Uint32Array(plan.data.buffer)]).toEqual([0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0x1ff, 0x1ff, 0x1ff]);
});
