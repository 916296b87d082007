import { expect, test } from "bun:test";
import { findResctrl } from "./mount.ts";

const other =
  "22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/vda rw\n23 22 0:21 / /x\\040resctrl rw - tmpfs resctrl rw\n";
const usual = "30 22 0:30 / /sys/fs/resctrl rw,nosuid shared:9 - resctrl resctrl rw,cdp,mba_MBps\n";
const strange = "31 22 0:30 / /mnt/a\\040b rw - resctrl none rw\n";

test("a mounted resctrl is found by its type, at its usual place where it is there too", () => {
  expect(findResctrl(other)).toBeUndefined();
  expect(findResctrl(other + strange)).toEqual({ path: "/mnt/a b", inMegabytes: false });
  expect(findResctrl(strange + usual)).toEqual({ path: "/sys/fs/resctrl", inMegabytes: true });
});
