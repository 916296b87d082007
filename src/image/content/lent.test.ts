import { describe, expect, test } from "bun:test";
import { lent } from "./lent.ts";

async function* source(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function readAll(chunks: readonly Uint8Array[]): Promise<Buffer> {
  const copies: Uint8Array[] = [];
  for await (const chunk of lent(source(chunks))) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}

describe("a chunk that is lent", () => {
  test("is whole until the next is asked for, and gone then", async () => {
    const chunks = [new Uint8Array([1, 2]), new Uint8Array([3])];
    const stream = lent(source(chunks));
    const first = (await stream.next()).value as Uint8Array;
    expect([...first]).toEqual([1, 2]);
    await stream.next();
    expect(first.byteLength).toBe(0);
  });

  test("is left alone where others may look at the same memory", async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(2));
    const whole = new Uint8Array([1, 2, 3, 4]);
    expect([...(await readAll([whole.subarray(1, 3), shared]))]).toEqual([2, 3, 0, 0]);
    expect([...whole, ...shared]).toEqual([1, 2, 3, 4, 0, 0]);
  });
});
