import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { GalleyError } from "../../../errors.ts";
import { lent } from "../../content/lent.ts";
import { send } from "./request.ts";

// A machine that does much else at the same time takes longer than the five seconds that are the default.
setDefaultTimeout(60_000);

const request = { method: "GET", url: new URL("https://registry.example/v2/") } as const;

/** An answer whose body comes in `count` pieces, each after `pause` milliseconds; it ends early when the exchange is called off. */
function dribble(piece: number, count: number, pause: number) {
  return async (_: URL, { signal }: RequestInit): Promise<Response> => {
    let left = count;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => signal?.addEventListener("abort", () => controller.error(signal.reason)),
      async pull(controller) {
        await Bun.sleep(pause);
        if (signal?.aborted === true) return;
        if (left-- === 0) controller.close();
        else controller.enqueue(new Uint8Array(piece));
      },
    });
    return new Response(body);
  };
}

async function read(exchange: ReturnType<typeof dribble>, stallSeconds: number): Promise<number> {
  const answer = await send(exchange, request, stallSeconds);
  let size = 0;
  for await (const chunk of answer.body()) size += chunk.length;
  return size;
}

describe("a body", () => {
  test("that comes byte by byte is given up", async () => {
    const fault = await read(dribble(1, 1e9, 20), 0.4).then(
      () => Promise.reject(new Error("it was read")),
      (failure: GalleyError) => failure,
    );
    expect(fault.code).toBe("deadline_exceeded");
    expect(fault.message).toMatch(/^only \d+ bytes in 0.4 seconds$/);
  });

  test("that does not come at all is given up", async () => {
    const fault = await read(dribble(1, 1, 1e6), 0.2).then(
      () => Promise.reject(new Error("it was read")),
      (failure: GalleyError) => failure,
    );
    expect(fault.message).toBe("no answer for 0.2 seconds");
  });

  test("may take as long as it goes on", async () => {
    expect(await read(dribble(2048, 6, 250), 1)).toBe(6 * 2048);
  });

  test("may wait for its reader", async () => {
    const answer = await send(dribble(1, 3, 10), request, 0.5);
    let size = 0;
    for await (const chunk of answer.body()) {
      size += chunk.length;
      await Bun.sleep(300);
    }
    expect(size).toBe(3);
  });
});

test("a body whose chunks are lent is sent whole to a server that is slow to take it", async () => {
  const chunks = Array.from({ length: 200 }, (_, index) => new Uint8Array(60_000 + index).fill(index));
  const expected = new Bun.CryptoHasher("sha256");
  for (const chunk of chunks) expected.update(chunk);
  using server = Bun.serve({
    port: 0,
    async fetch({ body }) {
      const found = new Bun.CryptoHasher("sha256");
      let pieces = 0;
      for await (const chunk of body ?? []) {
        found.update(chunk);
        if (++pieces % 20 === 0) await Bun.sleep(5);
      }
      return new Response(found.digest("hex"));
    },
  });
  async function* body() {
    yield* chunks;
  }
  const answer = await send(fetch, { method: "PATCH", url: server.url, body: () => lent(body()) });
  expect(await answer.response.text()).toBe(expected.digest("hex"));
  expect(chunks.every((chunk) => chunk.byteLength === 0)).toBeTrue();
});
