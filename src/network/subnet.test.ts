import { expect, test } from "bun:test";
import { formatSubnet } from "../linux/ipv4.ts";
import { bridgeMac, containerMac, placeOfMac, portName } from "./names.ts";
import { chooseSubnet, isFree, parseRoutes } from "./subnet.ts";

const table = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
vpn\t0000BA0A\t00000000\t0001\t0\t0\t0\t0000FEFF\t0\t0\t0
galley0\t0000BD0A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
`;

test("routes are read, without the default one", () => {
  const routes = parseRoutes(table);
  expect(routes.map((route) => `${route.interface} ${formatSubnet(route)}`)).toEqual([
    "docker0 172.17.0.0/16",
    "vpn 10.186.0.0/15",
    "galley0 10.189.0.0/16",
  ]);
  expect(parseRoutes("Iface\n")).toEqual([]);
});

test("a network that no route covers is chosen; the bridge's own is no hindrance", () => {
  expect(formatSubnet(chooseSubnet([]))).toBe("10.187.0.0/16");
  expect(formatSubnet(chooseSubnet(parseRoutes(table)))).toBe("10.188.0.0/16");
  expect(isFree({ address: 0xac110000, prefix: 24 }, parseRoutes(table))).toBe(false);
  const whole = { interface: "vpn", address: 0x0a000000, prefix: 8 };
  expect(formatSubnet(chooseSubnet([whole]))).toBe("172.31.0.0/16");
  expect(() =>
    chooseSubnet([
      { ...whole, address: 0, prefix: 1 },
      { ...whole, address: 0x80000000, prefix: 1 },
    ]),
  ).toThrow("cover every private network");
});

test("names carry addresses", () => {
  const place = { gateway: 0x0abb0001, prefix: 16 };
  expect(bridgeMac(place)).toBe("02:10:0a:bb:00:01");
  expect(placeOfMac("02:10:0a:bb:00:01")).toEqual(place);
  expect(placeOfMac("02:42:ac:11:00:02")).toBeUndefined();
  expect(placeOfMac("fe:10:0a:bb:00:01")).toBeUndefined();
  expect(placeOfMac("")).toBeUndefined();
  expect(containerMac(0x0abb0002)).toBe("02:42:0a:bb:00:02");
  expect(portName(0x0abb0002)).toBe("gly0abb0002");
});
