/**
 * Requests of nf_tables (linux/netfilter/nf_tables.h, nfnetlink.h): tables, chains, rules, sets and their elements. Everything
 * between the first and the last message of a batch is one transaction. Numbers in attributes are in network order.
 */
import { ENSURE, type MessageWriter, NLM } from "../netlink/message.ts";
import { type Expression, type Verdict, writeVerdict } from "./expression.ts";

const NFNL_BATCH = { begin: 0x10, end: 0x11 } as const;
const SUBSYSTEM = 10;
const MSG = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  deleteChain: 5,
  newRule: 6,
  deleteRule: 8,
  newSet: 9,
  newElement: 12,
  deleteElement: 14,
  /** NFT_MSG_DESTROYSETELEM, Linux 6.3. */
  destroyElement: 30,
} as const;
const NFPROTO_IPV4 = 2;
const TABLE_NAME = 1;
const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
const HOOK = { number: 1, priority: 2 } as const;
const RULE = { table: 1, chain: 2, expressions: 4 } as const;
const SET = { table: 1, name: 2, flags: 3, keyType: 4, keySize: 5, dataType: 6, dataSize: 7, id: 10 } as const;
const SET_IS_MAP = 8;
/** NFT_DATA_VERDICT. */
const VERDICT_TYPE = 0xffffff00;
const ELEMENTS = { table: 1, set: 2, list: 3 } as const;
const ELEMENT = { key: 1, data: 2 } as const;
const DATA_VALUE = 1;
const LIST_ELEMENT = 1;
const ELEMENTS_PER_MESSAGE = 256;

/** Hooks of the ip family (linux/netfilter.h) and the priorities of iptables' tables there (linux/netfilter_ipv4.h). */
export const hook = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
export const priority = { raw: -300, destinationNat: -100, filter: 0, sourceNat: 100 } as const;

/** Data types by the numbers that nft(8) gives them, for its listing; and their sizes in bytes. */
const types = { address: [7, 4], protocol: [12, 1], port: [13, 2] } as const;
export type Field = keyof typeof types;

/** Fields side by side: each takes whole words of 4 bytes. nft(8) packs their types in 6 bits each. */
function concatenation(fields: readonly Field[]): { type: number; size: number } {
  const type = fields.reduce((packed, field) => packed * 64 + types[field][0], 0);
  return { type, size: fields.reduce((size, field) => size + ((types[field][1] + 3) & ~3), 0) };
}

/** A key or data of fields side by side, each padded to 4 bytes. */
export function fieldBytes(...fields: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((size, field) => size + ((field.length + 3) & ~3), 0));
  let at = 0;
  for (const field of fields) {
    bytes.set(field, at);
    at += (field.length + 3) & ~3;
  }
  return bytes;
}

export interface BaseChain {
  readonly type: "filter" | "nat";
  readonly hook: keyof typeof hook;
  readonly priority: number;
}

/** A key of a set; with data, of a map. */
export interface Element {
  readonly key: Uint8Array;
  readonly data?: Uint8Array | Verdict;
}

/** Writes requests about one table of family ip. */
export class TableWriter {
  #sets = 0;

  constructor(
    readonly writer: MessageWriter,
    readonly table: string,
  ) {}

  /** One transaction: all of `body`, or nothing of it. */
  batch(body: () => void): this {
    this.#boundary(NFNL_BATCH.begin);
    body();
    this.#boundary(NFNL_BATCH.end);
    return this;
  }

  /** Makes the table where it is missing. */
  ensureTable(): void {
    this.#message(MSG.newTable, ENSURE, () => this.writer.text(TABLE_NAME, this.table));
  }

  /** Fails with ENOENT where the table is missing. Outside of a batch. */
  checkTable(): void {
    this.#message(MSG.getTable, NLM.request | NLM.ack, () => this.writer.text(TABLE_NAME, this.table));
  }

  /** Deletes the table with all that is in it. */
  deleteTable(): void {
    this.#message(MSG.deleteTable, NLM.request | NLM.ack, () => this.writer.text(TABLE_NAME, this.table));
  }

  /** Makes a chain where it is missing; with `base`, one that the kernel calls at a hook, its policy accept. */
  ensureChain(name: string, base?: BaseChain): void {
    this.#message(MSG.newChain, ENSURE, () => {
      this.writer.text(CHAIN.table, this.table);
      this.writer.text(CHAIN.name, name);
      if (base !== undefined) this.#base(base);
    });
  }

  #base(base: BaseChain): void {
    this.writer.nest(CHAIN.hook, () => {
      this.writer.be32(HOOK.number, hook[base.hook]);
      this.writer.be32(HOOK.priority, base.priority);
    });
    this.writer.be32(CHAIN.policy, 1);
    this.writer.text(CHAIN.type, base.type);
  }

  /** Fails with ENOENT where the chain is missing. Outside of a batch. */
  checkChain(name: string): void {
    this.#chainName(MSG.getChain, name);
  }

  /** Deletes a chain and its rules: EBUSY where a rule of another chain jumps to it. */
  deleteChain(name: string): void {
    this.#chainName(MSG.deleteChain, name);
  }

  #chainName(type: number, name: string): void {
    this.#message(type, NLM.request | NLM.ack, () => {
      this.writer.text(CHAIN.table, this.table);
      this.writer.text(CHAIN.name, name);
    });
  }

  /** Deletes every rule of a chain. */
  flushChain(chain: string): void {
    this.#message(MSG.deleteRule, NLM.request | NLM.ack, () => {
      this.writer.text(RULE.table, this.table);
      this.writer.text(RULE.chain, chain);
    });
  }

  /** Appends a rule. */
  rule(chain: string, expressions: readonly Expression[]): void {
    this.#message(MSG.newRule, ENSURE | NLM.append, () => {
      this.writer.text(RULE.table, this.table);
      this.writer.text(RULE.chain, chain);
      this.writer.nest(RULE.expressions, () => {
        for (const expression of expressions) this.writer.nest(LIST_ELEMENT, () => expression(this.writer));
      });
    });
  }

  /** Makes a set of keys where it is missing; with `data` a map, from keys to fields or to verdicts. */
  ensureSet(name: string, key: readonly Field[], data?: readonly Field[] | "verdict"): void {
    const from = concatenation(key);
    this.#message(MSG.newSet, ENSURE, () => {
      this.writer.text(SET.table, this.table);
      this.writer.text(SET.name, name);
      this.writer.be32(SET.flags, data === undefined ? 0 : SET_IS_MAP);
      this.writer.be32(SET.keyType, from.type);
      this.writer.be32(SET.keySize, from.size);
      if (data === "verdict") this.writer.be32(SET.dataType, VERDICT_TYPE);
      else if (data !== undefined) this.#setData(concatenation(data));
      this.writer.be32(SET.id, ++this.#sets);
    });
  }

  #setData({ type, size }: { readonly type: number; readonly size: number }): void {
    this.writer.be32(SET.dataType, type);
    this.writer.be32(SET.dataSize, size);
  }

  /** Adds elements; EEXIST or EBUSY where a key is there with other data. */
  addElements(set: string, elements: readonly Element[]): void {
    this.#elements(MSG.newElement, ENSURE, set, elements);
  }

  /** Deletes elements; ENOENT where one is not there. */
  deleteElements(set: string, keys: readonly Uint8Array[]): void {
    const elements = keys.map((key) => ({ key }));
    this.#elements(MSG.deleteElement, NLM.request | NLM.ack, set, elements);
  }

  /** Deletes those of the elements that are there. Kernels before Linux 6.3 refuse it. */
  destroyElements(set: string, keys: readonly Uint8Array[]): void {
    const elements = keys.map((key) => ({ key }));
    this.#elements(MSG.destroyElement, NLM.request | NLM.ack, set, elements);
  }

  /** Attributes have at most 64 KiB: many elements take several messages. */
  #elements(type: number, flags: number, set: string, elements: readonly Element[]): void {
    for (let first = 0; first < elements.length; first += ELEMENTS_PER_MESSAGE) {
      this.#message(type, flags, () => {
        this.writer.text(ELEMENTS.table, this.table);
        this.writer.text(ELEMENTS.set, set);
        this.writer.nest(ELEMENTS.list, () => {
          for (const element of elements.slice(first, first + ELEMENTS_PER_MESSAGE)) this.#element(element);
        });
      });
    }
  }

  #element({ key, data }: Element): void {
    const { writer } = this;
    writer.nest(LIST_ELEMENT, () => {
      writer.nest(ELEMENT.key, () => writer.bytes(DATA_VALUE, key));
      if (data !== undefined) writer.nest(ELEMENT.data, () => writeData(writer, data));
    });
  }

  #message(type: number, flags: number, body: () => void): void {
    this.writer.message((SUBSYSTEM << 8) | type, flags, () => {
      this.writer.raw(Uint8Array.of(NFPROTO_IPV4, 0, 0, 0));
      body();
    });
  }

  /** struct nfgenmsg of any family; the resource is the subsystem whose batch it is. */
  #boundary(type: number): void {
    this.writer.message(type, NLM.request, () => this.writer.raw(Uint8Array.of(0, 0, 0, SUBSYSTEM)));
  }
}

function writeData(writer: MessageWriter, data: Uint8Array | Verdict): void {
  if (data instanceof Uint8Array) writer.bytes(DATA_VALUE, data);
  else writeVerdict(writer, data);
}
