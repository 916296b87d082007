import { expect } from "bun:test";
import { MessageWriter } from "../../src/linux/netlink/message.ts";
import { decide, decideBy, loadPayload } from "../../src/linux/nftables/expression.ts";
import { fieldBytes, priority, TableWriter } from "../../src/linux/nftables/message.ts";
import { publishMessages, seizeMessages, tableMessages, withdrawMessages } from "../../src/network/firewall.ts";
import type { PublishedPort } from "../../src/network/types.ts";
import { testWith } from "../harness/requirements.ts";
import { CLONE, E, op, run, shell } from "../native/program.ts";

/** The error number of the first of several transactions that fails, and which it is, in a network namespace of their own. */
async function send(...messages: Uint8Array[]): Promise<{ step: number; errno: number } | undefined> {
  const steps = messages.map((bytes) => op("netlink", [12, bytes, { kind: "none" }]));
  const inside = [...steps, shell("true")];
  const { failure } = (await run({ outside: [op("clone", [CLONE.newnet, "none", 1])], inside })).report;
  return failure === undefined ? undefined : { step: failure.step, errno: failure.errno };
}

function batch(write: (table: TableWriter) => void): Uint8Array {
  const table = new TableWriter(new MessageWriter(), "galley");
  return table.batch(() => write(table)).writer.finish();
}

const table = tableMessages({ gateway: 0x0abb0001, prefix: 16 });
const port = (hostPort: number): PublishedPort => ({
  protocol: "tcp",
  hostAddress: "0.0.0.0",
  hostPort,
  containerPort: 80,
});
const [ours, theirs] = [0x0abb0002, 0x0abb0003];

testWith({ root: true }, "the table is made from nothing, and made again over itself", async () => {
  expect(
    await send(table, table, publishMessages(ours, [port(80)]), table, publishMessages(ours, [port(80)])),
  ).toBeUndefined();
  expect(await send(publishMessages(ours, [port(80)]))).toEqual({ step: 0, errno: E.NOENT });
});

testWith({ root: true }, "a port leads to one container, and only that one withdraws it", async () => {
  const mine = publishMessages(ours, [port(80)]);
  const clash = await send(table, mine, publishMessages(theirs, [port(81), port(80)]));
  expect(clash?.step).toBe(2);
  expect([E.EXIST, E.BUSY] as number[]).toContain(clash?.errno ?? 0);
  const foreign = await send(table, mine, withdrawMessages(theirs, [port(81), port(80)]));
  expect(foreign?.step).toBe(2);
  const withdraw = withdrawMessages(ours, [port(80), port(81)]);
  expect(await send(table, mine, withdraw, withdraw, publishMessages(theirs, [port(80), port(81)]))).toBeUndefined();
});

testWith({ root: true }, "a port is seized wherever it leads, or nowhere", async () => {
  const seize = seizeMessages([port(80), port(81)]);
  expect(
    await send(table, seize, publishMessages(theirs, [port(80)]), seize, publishMessages(ours, [port(80)])),
  ).toBeUndefined();
});

testWith({ root: true }, "rules decide by a map of verdicts", async () => {
  const rules = batch((writer) => {
    writer.ensureTable();
    writer.ensureChain("own");
    writer.ensureChain("input", { type: "filter", hook: "input", priority: priority.filter });
    writer.ensureSet("sources", ["address"], "verdict");
    writer.ensureSet("some", ["address"]);
    writer.addElements("sources", [
      { key: fieldBytes(Uint8Array.of(127, 0, 0, 1)), data: { kind: "jump", chain: "own" } },
      { key: fieldBytes(Uint8Array.of(127, 0, 0, 2)), data: { kind: "drop" } },
    ]);
    writer.addElements("some", [{ key: fieldBytes(Uint8Array.of(127, 0, 0, 1)) }]);
    writer.rule("input", [loadPayload("source", 0), decideBy("sources", 0)]);
    writer.rule("own", [decide({ kind: "return" })]);
  });
  expect(
    await send(
      rules,
      batch((writer) => writer.deleteTable()),
    ),
  ).toBeUndefined();
  expect(
    await send(
      rules,
      batch((writer) => writer.deleteChain("own")),
    ),
  ).toEqual({ step: 1, errno: E.BUSY });
});
