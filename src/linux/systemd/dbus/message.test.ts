import { expect, test } from "bun:test";
import { decodeMessage, encodeMessage, messageType } from "./message.ts";
import { Reader } from "./reader.ts";
import { type DbusValue, typesOf, variant } from "./types.ts";
import { Writer } from "./writer.ts";

const call = {
  type: messageType.call,
  serial: 7,
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
  member: "StopUnit",
  destination: "org.freedesktop.systemd1",
  signature: "ss",
  body: ["a.scope", "replace"],
} as const;

test("a message comes back as it was written, also in pieces", () => {
  const bytes = encodeMessage(call);
  const decoded = decodeMessage(Buffer.concat([bytes, new Uint8Array(9)]));
  expect(decoded).toEqual({ message: call, length: bytes.length });
  for (let end = 0; end < bytes.length; end++) expect(decodeMessage(bytes.subarray(0, end))).toBeUndefined();
});

test("values of every type come back", () => {
  const signature = "ybnqiuxtdsoga{sv}a(sas)vayat";
  const values: DbusValue[] = [
    255,
    true,
    -2,
    65_535,
    -3,
    4_000_000_000,
    -5n,
    2n ** 64n - 1n,
    1.5,
    "text \u00e9",
    "/path",
    "a(sv)",
    [["key", variant("as", ["x", "y"])]],
    [["one", ["two"]]],
    variant("(yt)", [1, 2n]),
    new Uint8Array([1, 2, 3]),
    [],
  ];
  const writer = new Writer();
  writer.writeAll(signature, values);
  expect(new Reader(writer.bytes()).readAll(signature)).toEqual(values);
});

/** An answer as dbus-daemon writes it, in the other byte order. */
test("big-endian messages are read", () => {
  const bytes = new Uint8Array([
    66, 2, 1, 1, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 15, 5, 1, 117, 0, 0, 0, 0, 9, 8, 1, 103, 0, 1, 115, 0, 0, 0, 0, 0, 3,
    97, 98, 99, 0,
  ]);
  const { message } = decodeMessage(bytes) ?? {};
  expect(message).toMatchObject({ type: messageType.reply, serial: 3, replySerial: 9, signature: "s", body: ["abc"] });
});

test("signatures are taken apart, and what is none is refused", () => {
  expect(typesOf("sa(sv)a{sas}u")).toEqual(["s", "a(sv)", "a{sas}", "u"]);
  for (const wrong of ["a", "(s", "z", "a{s"]) expect(() => typesOf(wrong)).toThrow("no D-Bus type");
});

test("lengths that lie are refused", () => {
  const bytes = encodeMessage(call);
  const lie = bytes.slice();
  lie[bytes.length - "replace".length - 5] = 0xff;
  expect(() => decodeMessage(lie)).toThrow(RangeError);
  expect(() => decodeMessage(new TextEncoder().encode("REJECTED EXTERNAL\r\n"))).toThrow("no D-Bus message");
});
