import { expect, test } from "bun:test";
import { describeMessages } from "./describe.ts";
import { MessageWriter } from "./message.ts";
import * as route from "./route.ts";

/** Numbers are those of linux/rtnetlink.h, if_link.h, if_addr.h and veth.h, counted by hand. */
function shown(write: (writer: MessageWriter) => void): string[] {
  const writer = new MessageWriter();
  write(writer);
  return describeMessages(0, writer.finish()).split("\n");
}

const DOWN = "00000000000000000000000000000000";
const UP = "00000000000000000100000001000000";

test("a bridge", () => {
  expect(shown((writer) => route.createBridge(writer, "galley0", "02:10:0a:bb:00:01"))).toEqual([
    `message 0x10 flags 0x605 ${DOWN}`,
    '  3 "galley0"',
    "  1 02100abb0001",
    "  18:",
    '    1 "bridge"',
  ]);
});

test("a pair whose other end goes to a process's namespace", () => {
  const writer = new MessageWriter();
  const here = { name: "gly0abb0002", mac: "06:42:0a:bb:00:02" };
  const offset = route.createVeth(writer, here, { name: "eth0", mac: "02:42:0a:bb:00:02" });
  const bytes = writer.finish();
  const peer = `${DOWN}0900030065746830000000000a00010002420abb000200000800130000000000`;
  expect(describeMessages(0, bytes).split("\n")).toEqual([
    `message 0x10 flags 0x605 ${DOWN}`,
    '  3 "gly0abb0002"',
    "  1 06420abb0002",
    "  18:",
    '    1 "veth"',
    "    2:",
    `      1 ${peer}`,
  ]);
  expect(offset).toBe(bytes.length - 4);
  expect([...bytes.subarray(offset - 4, offset)]).toEqual([8, 0, 19, 0]);
});

test("a port of a bridge, its index to be filled in", () => {
  let offset = 0;
  const lines = shown((writer) => {
    route.bringUp(writer, "lo");
    offset = route.enslave(writer, "gly0", "abc");
    route.enableHairpin(writer, "gly0");
  });
  expect(lines).toEqual([
    `message 0x10 flags 0x5 ${UP}`,
    '  3 "lo"',
    `message 0x10 flags 0x5 ${UP}`,
    '  3 "gly0"',
    "  10 00000000",
    "  20 616263",
    `message 0x10 flags 0x5 ${DOWN}`,
    '  3 "gly0"',
    "  18:",
    '    4 "bridge"',
    "    5:",
    "      4 01",
  ]);
  expect(offset).toBe(40 + 16 + 16 + 12 + 4);
});

test("settings and removal of a link", () => {
  const lines = shown((writer) => {
    route.withoutLinkLocal(writer, "eth0");
    route.setMac(writer, "eth0", "02:42:0a:bb:00:02");
    route.deleteLink(writer, "eth0");
  });
  expect(lines).toEqual([
    `message 0x10 flags 0x5 ${DOWN}`,
    '  3 "eth0"',
    "  26:",
    "    10:",
    "      8 01",
    `message 0x10 flags 0x5 ${DOWN}`,
    '  3 "eth0"',
    "  1 02420abb0002",
    `message 0x11 flags 0x5 ${DOWN}`,
    '  3 "eth0"',
  ]);
});

test("an address and the default route", () => {
  let offset = 0;
  const lines = shown((writer) => {
    offset = route.addAddress(writer, 0x0abb0002, 16, 0x0abbffff);
    route.addDefaultRoute(writer, 0x0abb0001);
  });
  expect(lines).toEqual([
    "message 0x14 flags 0x605 0210000000000000",
    "  2 0abb0002",
    "  1 0abb0002",
    "  4 0abbffff",
    "message 0x18 flags 0x605 02000000fe03000100000000",
    "  5 0abb0001",
  ]);
  expect(offset).toBe(20);
});

test("a buffer that grows keeps what it has", () => {
  const lines = shown((writer) => {
    for (let index = 0; index < 100; index++) route.bringUp(writer, `link${index}`);
  });
  expect(lines).toHaveLength(200);
  expect(lines.at(-1)).toBe('  3 "link99"');
});
