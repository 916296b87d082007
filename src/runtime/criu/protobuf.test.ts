import { describe, expect, test } from "bun:test";
import { encodeMessage, Message } from "./protobuf.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

describe("encodeMessage", () => {
  test("writes numbers, strings, messages and repeated fields as protobuf's own examples have them", () => {
    expect(hex(encodeMessage({ 1: 150 }))).toBe("089601");
    expect(hex(encodeMessage({ 2: "testing" }))).toBe("120774657374696e67");
    expect(hex(encodeMessage({ 3: { 1: 150 } }))).toBe("1a03089601");
    expect(hex(encodeMessage({ 4: ["a", "b"], 5: true, 6: undefined, 34: 0 }))).toBe(
      "22016122016228019002 00".replace(" ", ""),
    );
    expect(hex(encodeMessage({ 38: 0x40000000 }))).toBe("b0028080808004");
  });
});

describe("Message", () => {
  test("reads what was written, and says of the rest that it is not there", () => {
    const message = new Message(encodeMessage({ 1: 6, 2: true, 5: { 1: "post-restore", 2: 4711 }, 9: 2 ** 40 }));
    expect(message.number(1)).toBe(6);
    expect(message.number(2)).toBe(1);
    expect(message.message(5).text(1)).toBe("post-restore");
    expect(message.message(5).number(2)).toBe(4711);
    expect(message.number(9)).toBe(2 ** 40);
    expect([message.has(5), message.has(3)]).toEqual([true, false]);
    expect([message.number(3), message.text(3), message.message(3).has(1)]).toEqual([0, "", false]);
  });

  test("takes a negative number's ten bytes", () => {
    expect(new Message(bytes("08ffffffffffffffffff011005")).number(2)).toBe(5);
  });

  test.each(["08", "0a05aa", "0b", "0d00000000", "08ffffffffffffffffffff01"])("refuses %s", (text) => {
    expect(() => new Message(bytes(text))).toThrow("no message of its protocol");
  });
});
