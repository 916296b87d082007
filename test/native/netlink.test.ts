import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { encode } from "../../src/recipe/encode.ts";
import type { Fixup } from "../../src/recipe/ops.ts";
import type { Step } from "../../src/recipe/recipe.ts";
import { testWith } from "../harness/requirements.ts";
import { CLONE, E, O, op, run, runBytes, Scratch, shell, text } from "./program.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);

const REQUEST_ACK = 5;
const CREATE_EXCLUSIVE = 0x600;
const ROUTE = 0;
const NETFILTER = 12;
const NEWLINK = 16;
const NEWADDR = 20;
const IFLA = { name: 3, master: 10, netNsPid: 19, linkInfo: 18, netNsFd: 28 } as const;
const none: Fixup = { kind: "none" };

const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const cString = (words: string) => Buffer.from(`${words}\0`);

function attribute(type: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const bytes = Buffer.alloc((4 + body.length + 3) & ~3);
  bytes.writeUInt16LE(4 + body.length, 0);
  bytes.writeUInt16LE(type, 2);
  body.copy(bytes, 4);
  return bytes;
}

function message(type: number, flags: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + body.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt32LE(1, 8);
  return Buffer.concat([head, body]);
}

/** struct ifinfomsg. */
function link(index = 0, flags = 0): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(flags, 12);
  return bytes;
}

const addBridge = (name: string) =>
  message(
    NEWLINK,
    REQUEST_ACK | CREATE_EXCLUSIVE,
    link(),
    attribute(IFLA.name, cString(name)),
    attribute(IFLA.linkInfo, attribute(1, cString("bridge"))),
  );
const up = (name: string) => message(NEWLINK, REQUEST_ACK, link(0, 1), attribute(IFLA.name, cString(name)));

/** In a network namespace of its own: steps, then a script. */
const inNetwork = (steps: readonly Step[], script: string) =>
  run({ outside: [op("clone", [CLONE.newnet, "none", 1])], inside: [...steps, shell(script)] });

root("several requests go in one step, and each is answered", async () => {
  const { report, output } = await inNetwork(
    [op("netlink", [ROUTE, Buffer.concat([addBridge("d0"), addBridge("d1"), up("d1"), up("lo")]), none])],
    "cat /proc/net/dev | cut -d: -f1 | tail -n +3 | sort | xargs",
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe("d0 d1 lo\n");
});

root("the first error among the answers is the step's", async () => {
  const failing = Buffer.concat([addBridge("d0"), addBridge("d0"), up("missing")]);
  expect((await inNetwork([op("netlink", [ROUTE, failing, none])], "true")).report.failure).toEqual({
    section: "inside",
    step: 0,
    errno: E.EXIST,
  });
  const tolerated = await inNetwork([op("netlink", [ROUTE, failing, none], { tolerate: [E.EXIST] })], "true");
  expect(tolerated.report.failure).toBeUndefined();
});

root("hundreds of acknowledgements do not overflow the socket", async () => {
  const all = Buffer.concat(Array.from({ length: 1500 }, () => up("lo")));
  expect((await inNetwork([op("netlink", [ROUTE, all, none])], "true")).report.failure).toBeUndefined();
  const last = Buffer.concat([all, up("missing")]);
  expect((await inNetwork([op("netlink", [ROUTE, last, none])], "true")).report.failure).toMatchObject({
    errno: E.NODEV,
  });
});

root("requests longer than a socket's usual buffer are sent", async () => {
  const long = Buffer.concat(Array.from({ length: 9000 }, () => up("lo")));
  expect(long.length).toBeGreaterThan(212_992);
  expect((await inNetwork([op("netlink", [ROUTE, long, none])], "true")).report.failure).toBeUndefined();
});

root("a request that nobody answers is an error", async () => {
  const cut = up("lo");
  cut.writeUInt32LE(cut.length + 4, 0);
  expect((await inNetwork([op("netlink", [ROUTE, cut, none])], "true")).report.failure?.errno).toBe(71);
});

root("an interface's index is looked up while the recipe runs", async () => {
  const address = (name: string) => {
    const head = Buffer.from([2, 24, 0, 0, 0, 0, 0, 0]);
    const bytes = message(NEWADDR, REQUEST_ACK | CREATE_EXCLUSIVE, head, attribute(2, Buffer.from([10, 1, 2, 3])));
    return op("netlink", [ROUTE, bytes, { kind: "interfaceIndex", offset: 20, name }]);
  };
  const { report, output } = await inNetwork(
    [op("netlink", [ROUTE, Buffer.concat([addBridge("d0"), up("d0")]), none]), address("d0")],
    "grep -c 10.1.2.3 /proc/net/fib_trie",
  );
  expect(report.failure).toBeUndefined();
  expect(Number(output)).toBeGreaterThan(0);
  expect((await inNetwork([address("d7")], "true")).report.failure).toMatchObject({ errno: E.NODEV });
});

root("what is filled in is sent, and the recipe stays as it was checked", async () => {
  using folder = new Scratch();
  const file = folder.at("copy");
  const bytes = up("lo");
  const recipe = encode({
    sections: {
      outside: [
        op("unshare", [CLONE.newnet]),
        op("netlink", [ROUTE, bytes, { kind: "interfaceIndex", offset: 20, name: "lo" }]),
        op("write_file", ["cwd", file, bytes, O.wronly | O.creat, 0o600]),
      ],
    },
  });
  // Both steps read the same bytes.
  const view = new DataView(recipe.buffer);
  view.setBigUint64(256 + 2 * 64 + 32, view.getBigUint64(256 + 64 + 24, true), true);
  expect((await runBytes(recipe)).report.failure).toBeUndefined();
  expect(readFileSync(file).equals(bytes)).toBe(true);
});

/** A veth pair whose other end goes to the namespace that the last attribute names. */
function veth(name: string, peer: string, where: number): Buffer {
  const other = Buffer.concat([link(), attribute(IFLA.name, cString(peer)), attribute(where, u32(0))]);
  const info = Buffer.concat([attribute(1, cString("veth")), attribute(2, attribute(1, other))]);
  return message(
    NEWLINK,
    REQUEST_ACK | CREATE_EXCLUSIVE,
    link(),
    attribute(IFLA.name, cString(name)),
    attribute(IFLA.linkInfo, info),
  );
}

root("an interface is put into the inside's namespace by pid or by descriptor", async () => {
  const place = (fixup: (offset: number) => Fixup, where: number, name: string) => {
    const bytes = veth(name, "eth0", where);
    return op("netlink", [ROUTE, bytes, fixup(bytes.length - 4)]);
  };
  for (const step of [
    place((offset) => ({ kind: "pid", offset }), IFLA.netNsPid, "gnt-pid"),
    place((offset) => ({ kind: "slot", offset, slot: "ns" }), IFLA.netNsFd, "gnt-fd"),
  ]) {
    using folder = new Scratch();
    const seen = folder.at("seen");
    const { report, output } = await run({
      outside: [
        op("unshare", [CLONE.newnet]),
        op("clone", [CLONE.newnet, "none", 1]),
        op("open_proc", [], { out: "proc" }),
        op("openat", ["proc", "ns/net", 0, 0], { out: "ns" }),
        step,
        op("signal", [1]),
        // A pair goes with either of its namespaces, and this one is the outside's alone.
        op("await_file", ["cwd", seen, text("\n"), 5000]),
      ],
      inside: [op("wait", [1]), shell(`cut -d: -f1 /proc/net/dev | tail -n +3 | xargs; echo > ${seen}`)],
    });
    expect(report.failure).toBeUndefined();
    expect(output.split("\n")[0]?.split(" ").sort()).toEqual(["eth0", "lo"]);
  }
});

const NFT = { batchBegin: 0x10, batchEnd: 0x11, newTable: 0xa00, newChain: 0xa03, delTable: 0xa02 } as const;
/** struct nfgenmsg: family inet, version 0, resource in network order. */
const generic = (resource = 0) => Buffer.from([resource === 0 ? 1 : 0, 0, resource >> 8, resource & 255]);
const REQUEST = 1;
const ACK = 4;

function batch(...messages: Buffer[]): Buffer {
  return Buffer.concat([
    message(NFT.batchBegin, REQUEST, generic(10)),
    ...messages,
    message(NFT.batchEnd, REQUEST, generic(10)),
  ]);
}
const table = (name: string, flags = 0) =>
  message(NFT.newTable, REQUEST | 0x400 | flags, generic(), attribute(1, cString(name)));
const chain = (tableName: string, name: string, flags = 0) =>
  message(
    NFT.newChain,
    REQUEST | 0x400 | flags,
    generic(),
    attribute(1, cString(tableName)),
    attribute(3, cString(name)),
  );

root("an nf_tables batch is one transaction: all of it or, with its first error, nothing", async () => {
  const nft = (bytes: Buffer, tolerate: number[] = []) => op("netlink", [NETFILTER, bytes, none], { tolerate });
  const good = batch(table("t", ACK), chain("t", "c", ACK));
  const bad = batch(table("u"), chain("missing", "c"));
  const silent = batch(table("v"));
  const failure = async (...steps: Step[]) => (await inNetwork(steps, "true")).report.failure;
  expect(await failure(nft(good))).toBeUndefined();
  expect(await failure(nft(silent))).toBeUndefined();
  expect(await failure(nft(bad))).toEqual({ section: "inside", step: 0, errno: E.NOENT });
  const drop = (name: string) => batch(message(NFT.delTable, REQUEST | ACK, generic(), attribute(1, cString(name))));
  expect(await failure(nft(bad, [E.NOENT]), nft(drop("u")))).toMatchObject({ step: 1, errno: E.NOENT });
  expect(await failure(nft(good), nft(drop("t")))).toBeUndefined();
});

/** struct sockaddr_in or sockaddr_in6 for all addresses. */
function anyAddress(family: 2 | 10, port: number): Uint8Array {
  const bytes = Buffer.alloc(family === 2 ? 16 : 28);
  bytes.writeUInt16LE(family, 0);
  bytes.writeUInt16BE(port, 2);
  return bytes;
}

root("a port is reserved on each protocol by itself, and only when it is free", async () => {
  const reserve = (type: number, family: 2 | 10, port: number) => op("reserve_port", [type, anyAddress(family, port)]);
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const failure = async (...steps: Step[]) => (await run({ outside: steps })).report.failure;
  expect(await failure(reserve(1, 2, port))).toEqual({ section: "outside", step: 0, errno: E.ADDRINUSE });
  expect(await failure(reserve(2, 2, port), reserve(2, 10, port))).toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  expect(await failure(reserve(1, 2, port), reserve(1, 10, port))).toBeUndefined();
  expect(await failure(reserve(1, 2, port), reserve(1, 2, port))).toMatchObject({ step: 1, errno: E.ADDRINUSE });
  expect(await failure(op("reserve_port", [1, new Uint8Array(1)]))).toMatchObject({ errno: E.INVAL });
});

root("more ports than the soft limit of open files are reserved, and the container keeps its limit", async () => {
  using folder = new Scratch();
  const { report, output } = await run({
    outside: [
      op("setrlimit", [7, 64, 4096]),
      ...Array.from({ length: 300 }, () => op("reserve_port", [2, anyAddress(2, 0)])),
      op("clone", [0, "none", 1]),
    ],
    inside: [op("chdir", [folder.path]), shell("ulimit -n")],
  });
  expect(report.failure).toBeUndefined();
  expect(output).toBe("64\n");
});
