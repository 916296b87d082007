import { expect, test } from "bun:test";
import {
  broadcastOf,
  contains,
  formatIpv4,
  formatSubnet,
  ipv4Bytes,
  overlap,
  parseIpv4,
  parseSubnet,
  subnetOf,
} from "./ipv4.ts";

test("addresses are read and written", () => {
  for (const text of ["0.0.0.0", "10.88.0.1", "127.0.0.1", "255.255.255.255"]) {
    expect(formatIpv4(parseIpv4(text) ?? -1)).toBe(text);
  }
  expect(parseIpv4("192.168.1.2")).toBe(0xc0a80102);
  expect([...ipv4Bytes(0xc0a80102)]).toEqual([192, 168, 1, 2]);
  for (const text of ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.x", " 1.2.3.4", "::1", "1.2.3.-4"]) {
    expect(parseIpv4(text)).toBeUndefined();
  }
});

test("networks contain, overlap and end", () => {
  const net = parseSubnet("10.1.0.0/16") ?? { address: 0, prefix: 0 };
  const inside = (text: string) => contains(net, parseIpv4(text) ?? 0);
  expect([inside("10.1.255.255"), inside("10.1.0.0"), inside("10.2.0.0"), inside("10.0.255.255")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(formatIpv4(broadcastOf(net))).toBe("10.1.255.255");
  expect(formatSubnet(subnetOf(parseIpv4("172.17.3.4") ?? 0, 12))).toBe("172.16.0.0/12");
  const meets = (text: string) => overlap(net, parseSubnet(text) ?? net);
  expect([meets("10.0.0.0/8"), meets("10.1.7.0/24"), meets("10.2.0.0/16"), meets("0.0.0.0/0")]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  for (const text of ["10.1.0.1/16", "10.0.0.0/33", "10.0.0.0", "10.0.0/8"]) expect(parseSubnet(text)).toBeUndefined();
});
