/** Garbage is collected while clients push, tag, mount and delete: what was acknowledged is whole, and what nobody needs goes. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { digestOf } from "../../src/image/digest.ts";
import { collectGarbage } from "../../src/registry/collect.ts";
import { RegistryStore } from "../../src/registry/store/registry-store.ts";
import { mediaTypes } from "../../src/spec/image.ts";
import { Lab } from "./lab.ts";

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.end());

test("what somebody asked about a moment ago stays, whatever its age", async () => {
  using store = RegistryStore.open(lab.root);
  const { content } = store.open("a");
  const [asked, alone] = ["asked", "alone"].map((text) => {
    const digest = digestOf(text);
    content.store(Buffer.from(text), digest);
    return digest;
  });
  await Bun.sleep(1200);
  const before = Date.now() - 50; // The kernel notes times by its ticks.
  expect(content.claim(asked ?? "")).toBe(5);
  const gone: string[] = [];
  await collectGarbage(store, { before, untagged: true, onRemoved: (digest) => gone.push(digest) });
  expect(gone).toEqual([alone as string]);
  expect(content.sizeOf(asked ?? "")).toBe(5);
  expect(store.pool.sizeOf(alone ?? "")).toBeUndefined();
});

/** Images of few contents, so that what one client lets go of another wants. */
const CONTENTS = 6;
const layerOf = (number: number) => Buffer.alloc(20_000 + number, `content ${number}`);
const config = Buffer.from("{}");

function manifestOf(number: number): string {
  const layer = layerOf(number);
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: digestOf(layer), size: layer.length }],
  });
}

class Client {
  tags = 0;
  /** Blobs that were there once and had to be pushed again. */
  returned = 0;
  /** Manifests whose blobs went meanwhile, which is refused and no harm. */
  refused = 0;
  readonly #pushed = new Set<string>();

  constructor(
    private readonly name: string,
    private readonly random: (below: number) => number,
  ) {}

  async round(round: number): Promise<void> {
    const number = this.random(CONTENTS);
    for (const blob of [config, layerOf(number)]) await this.#bring(blob);
    if (this.random(3) === 0) await Bun.sleep(this.random(200));
    const tag = `t${round}`;
    const { status } = await lab.putManifest(this.name, tag, manifestOf(number));
    if (status === 400) return void this.refused++;
    expect(status).toBe(201);
    this.tags++;
    await this.#check(tag, number);
    await Bun.sleep(this.random(400));
    await this.#check(tag, number);
    if ((await lab.ask("DELETE", `/v2/${this.name}/manifests/${tag}`)).status !== 202)
      throw new Error(`${tag} is gone`);
  }

  async #bring(content: Buffer): Promise<void> {
    const digest = digestOf(content);
    const path = `/v2/${this.name}/blobs/`;
    if ((await lab.ask("HEAD", path + digest)).status === 200) return;
    if (this.#pushed.has(digest)) this.returned++;
    this.#pushed.add(digest);
    const { status } = await lab.ask("POST", `${path}uploads/?mount=${digest}`);
    if (status !== 201) await lab.pushBlob(this.name, content);
  }

  /** A tag that was acknowledged leads to a manifest whose blobs are there, byte by byte. */
  async #check(tag: string, number: number): Promise<void> {
    expect(await (await lab.ask("GET", `/v2/${this.name}/manifests/${tag}`)).text()).toBe(manifestOf(number));
    for (const blob of [config, layerOf(number)]) {
      const answer = await lab.ask("GET", `/v2/${this.name}/blobs/${digestOf(blob)}`);
      expect({ status: answer.status, digest: digestOf(await answer.bytes()) }).toEqual({
        status: 200,
        digest: digestOf(blob),
      });
    }
  }
}

/** Numbers below one, the same for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed || 1;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

test("a server that collects while clients push and delete keeps what it acknowledged", async () => {
  await lab.restart({ collect: { every: 10, olderThan: 1500, untagged: true } });
  const seed = Date.now() % 1_000_000;
  const clients = ["a", "b", "b", "c/d"].map((name, number) => new Client(name, generator(seed + number * 7919)));
  const end = Date.now() + 12_000;
  await Promise.all(
    clients.map(async (client, number) => {
      for (let round = number; Date.now() < end; round += clients.length) await client.round(round);
    }),
  );
  const total = (of: (client: Client) => number) => clients.reduce((sum, client) => sum + of(client), 0);
  expect(total(({ tags }) => tags)).toBeGreaterThan(20);
  expect(total(({ returned }) => returned)).toBeGreaterThan(0);
  // All tags are gone, so in the end all is.
  for (let tries = 0; tries < 200; tries++) {
    const left = await Promise.all(
      ["a", "b", "c/d"].map(
        async (name) => (await lab.ask("HEAD", `/v2/${name}/manifests/${digestOf(manifestOf(0))}`)).status,
      ),
    );
    if (left.every((status) => status === 404)) return;
    await Bun.sleep(100);
  }
  throw new Error("a manifest that no tag leads to stays");
}, 60_000);
