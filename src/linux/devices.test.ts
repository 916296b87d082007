import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  allHostDevices,
  defaultDeviceLinks,
  defaultDevices,
  deviceNumber,
  deviceRule,
  hostDevices,
  splitDeviceNumber,
} from "./devices.ts";

test("device numbers are the kernel's, both ways", () => {
  expect(deviceNumber(1, 3)).toBe(0x103);
  expect(deviceNumber(0xfff, 0xfffff)).toBe(0xffff_ffff);
  for (const pair of [
    [1, 3],
    [136, 300],
    [259, 70_000],
    [4095, 0xfffff],
  ] as const) {
    const [major, minor] = pair;
    expect(splitDeviceNumber(deviceNumber(major, minor))).toEqual({ major, minor });
  }
});

test("the default devices are those of the host", () => {
  for (const device of defaultDevices) {
    expect(splitDeviceNumber(statSync(device.path).rdev)).toEqual({
      major: device.major ?? -1,
      minor: device.minor ?? -1,
    });
  }
  expect(defaultDevices).toHaveLength(6);
  expect(defaultDeviceLinks.map(([path]) => path)).toContain("/dev/ptmx");
});

test("a host device is read under the container's name for it", () => {
  const [device, ...rest] = hostDevices("/dev/null", "/dev/nothing");
  expect(rest).toEqual([]);
  expect(device).toMatchObject({ type: "c", path: "/dev/nothing", major: 1, minor: 3, fileMode: 0o666 });
  expect(deviceRule(device!, "rw")).toEqual({ allow: true, type: "c", major: 1, minor: 3, access: "rw" });
});

test("links are followed; what is no device, or not there, is refused by name", () => {
  const directory = mkdtempSync(join(tmpdir(), "galley-devices-"));
  try {
    symlinkSync("/dev/zero", join(directory, "zero"));
    writeFileSync(join(directory, "file"), "");
    expect(hostDevices(join(directory, "zero"), "/dev/z")[0]).toMatchObject({ path: "/dev/z", minor: 5 });
    expect(() => hostDevices(join(directory, "file"), "/x")).toThrow("not a device node");
    expect(() => hostDevices(directory, "/x")).toThrow("not a device node");
    expect(() => hostDevices(join(directory, "none"), "/x")).toThrow(expect.objectContaining({ code: "not_found" }));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("all devices of the host, without pseudo-terminals", () => {
  const devices = allHostDevices();
  expect(devices.some(({ path }) => path === "/dev/null")).toBe(true);
  expect(devices.filter(({ path }) => path.startsWith("/dev/pts"))).toEqual([]);
});
