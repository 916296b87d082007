import { expect, test } from "bun:test";
import { describeMessages } from "../netlink/describe.ts";
import { MessageWriter } from "../netlink/message.ts";
import * as expression from "./expression.ts";
import { fieldBytes, priority, TableWriter } from "./message.ts";

/** Numbers are those of linux/netfilter/nf_tables.h and nfnetlink.h, counted by hand. */
function shown(write: (table: TableWriter) => void): string[] {
  const table = new TableWriter(new MessageWriter(), "t");
  write(table);
  return describeMessages(12, table.writer.finish()).split("\n");
}

/** The lines of one rule's expressions. */
const ruleOf = (...expressions: expression.Expression[]) =>
  shown((table) => table.rule("c", expressions))
    .slice(4)
    .map((line) => line.slice(4));

test("a batch, a table and its chains", () => {
  const lines = shown((table) =>
    table.batch(() => {
      table.ensureTable();
      table.ensureChain("own");
      table.ensureChain("nat", { type: "nat", hook: "postrouting", priority: priority.sourceNat });
      table.flushChain("own");
      table.deleteChain("own");
      table.deleteTable();
    }),
  );
  expect(lines).toEqual([
    "message 0x10 flags 0x1 0000000a",
    "message 0xa00 flags 0x405 02000000",
    "  1 7400",
    "message 0xa03 flags 0x405 02000000",
    "  1 7400",
    '  3 "own"',
    "message 0xa03 flags 0x405 02000000",
    "  1 7400",
    '  3 "nat"',
    "  4:",
    "    1 00000004",
    "    2 00000064",
    "  5 00000001",
    '  7 "nat"',
    "message 0xa08 flags 0x5 02000000",
    "  1 7400",
    '  2 "own"',
    "message 0xa05 flags 0x5 02000000",
    "  1 7400",
    '  3 "own"',
    "message 0xa02 flags 0x5 02000000",
    "  1 7400",
    "message 0x11 flags 0x1 0000000a",
  ]);
});

test("sets, maps of data and maps of verdicts", () => {
  const sets = (...data: Parameters<TableWriter["ensureSet"]>) =>
    shown((table) => table.ensureSet(...data))
      .slice(3)
      .map((line) => line.trim());
  expect(sets("some", ["port"])).toEqual(["3 00000000", "4 0000000d", "5 00000004", "10 00000001"]);
  const types = { key: ((7 * 64 + 12) * 64 + 13).toString(16), data: (7 * 64 + 13).toString(16) };
  expect(sets("some", ["address", "protocol", "port"], ["address", "port"])).toEqual([
    "3 00000008",
    `4 ${types.key.padStart(8, "0")}`,
    "5 0000000c",
    `6 ${types.data.padStart(8, "0")}`,
    "7 00000008",
    "10 00000001",
  ]);
  expect(sets("some", ["address"], "verdict").slice(0, 4)).toEqual([
    "3 00000008",
    "4 00000007",
    "5 00000004",
    "6 ffffff00",
  ]);
});

test("elements, many in a message", () => {
  const key = fieldBytes(Uint8Array.of(6), Uint8Array.of(0x1f, 0x90));
  const lines = shown((table) => {
    table.addElements("some", [{ key, data: fieldBytes(Uint8Array.of(10, 0, 0, 2), Uint8Array.of(0, 80)) }]);
    table.addElements("some", [{ key, data: { kind: "jump", chain: "own" } }]);
    table.deleteElements("some", [key]);
  });
  const head = (type: string, flags: string) => [
    `message ${type} flags ${flags} 02000000`,
    "  1 7400",
    '  2 "some"',
    "  3:",
    "    1:",
  ];
  const keyLines = ["      1:", "        1 060000001f900000"];
  expect(lines).toEqual([
    ...head("0xa0c", "0x405"),
    ...keyLines,
    "      2:",
    "        1 0a00000200500000",
    ...head("0xa0c", "0x405"),
    ...keyLines,
    "      2:",
    "        2:",
    "          1 fffffffd",
    '          2 "own"',
    ...head("0xa0e", "0x5"),
    ...keyLines,
  ]);
  const many = Array.from({ length: 600 }, (_, port) => ({ key: Uint8Array.of(port >>> 8, port, 0, 0) }));
  const messages = shown((table) => table.addElements("some", many)).filter((line) => line.startsWith("message"));
  expect(messages).toHaveLength(3);
});

test("what rules load and compare", () => {
  const { loadMeta, compare, interfaceBytes, loadPayload, bitAnd, loadConntrack, loadDestinationKind } = expression;
  expect(ruleOf(loadMeta("inputName", 0), compare(0, "different", interfaceBytes("br0")))).toEqual([
    "1:",
    '  1 "meta"',
    "  2:",
    "    2 00000006",
    "    1 00000008",
    "1:",
    '  1 "cmp"',
    "  2:",
    "    1 00000008",
    "    2 00000001",
    "    3:",
    `      1 ${"6272300000000000".padEnd(32, "0")}`,
  ]);
  const numbers = (...expressions: expression.Expression[]) =>
    ruleOf(...expressions)
      .map((line) => line.trim())
      .filter((line) => /^\d+ /.test(line))
      .join(", ");
  expect(numbers(loadPayload("destinationPort", 2))).toBe(
    '1 "payload", 1 0000000a, 2 00000002, 3 00000002, 4 00000002',
  );
  expect(numbers(loadPayload("source", 0))).toBe('1 "payload", 1 00000008, 2 00000001, 3 0000000c, 4 00000004');
  expect(numbers(bitAnd(1, Uint8Array.of(255, 0, 0, 0)))).toBe(
    '1 "bitwise", 1 00000009, 2 00000009, 3 00000004, 1 ff000000, 1 00000000',
  );
  expect(numbers(loadConntrack("status", 0))).toBe('1 "ct", 2 00000002, 1 00000008');
  expect(numbers(loadDestinationKind(0))).toBe('1 "fib", 1 00000008, 3 00000002, 2 00000003');
});

test("what rules decide", () => {
  const { decide, decideBy, destinationNat, lookup, masquerade } = expression;
  const numbers = (one: expression.Expression) =>
    ruleOf(one)
      .map((line) => line.trim())
      .filter((line) => /^\d+ /.test(line))
      .join(", ");
  expect(numbers(decide({ kind: "drop" }))).toBe('1 "immediate", 1 00000000, 1 00000000');
  expect(numbers(decide({ kind: "return" }))).toBe('1 "immediate", 1 00000000, 1 fffffffb');
  expect(numbers(decide({ kind: "jump", chain: "own" }))).toBe('1 "immediate", 1 00000000, 1 fffffffd, 2 "own"');
  expect(numbers(lookup("some", 0, 1))).toBe('1 "lookup", 1 "some", 2 00000008, 3 00000009');
  expect(numbers(lookup("some", 0))).toBe('1 "lookup", 1 "some", 2 00000008');
  expect(numbers(decideBy("some", 0))).toBe('1 "lookup", 1 "some", 2 00000008, 3 00000000');
  expect(numbers(destinationNat(0, 1))).toBe('1 "nat", 1 00000001, 2 00000002, 3 00000008, 5 00000009');
  expect(numbers(masquerade())).toBe('1 "masq"');
});
