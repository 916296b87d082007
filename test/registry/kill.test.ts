/** The server is killed at any moment, again and again, while clients push: what it said it has it has, and uploads go on. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/spec/image.ts";
import { freePort } from "../harness/free-port.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { type ServedRegistry, serveRegistry } from "../harness/serve.ts";

const KILLS = 10;

/** Bytes of one chunk, and chunks of one layer. */
const CHUNK = 256 << 10;
const CHUNKS = 6;

let root: string;
let store: Store;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "galley-kill-"));
  store = createStore();
});
afterAll(async () => {
  rmSync(root, { recursive: true, force: true });
  await store.cleanup();
});

test("a server that is killed keeps its word, and uploads go on where they were", async () => {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const seed = Date.now() % 1_000_000;
  const random = generator(seed);
  let server: ServedRegistry = await serveRegistry(root, [], { port });
  let done = false;
  let resumed = 0;
  const acknowledged = new Map<string, string>();

  /** A request that is repeated until a server answers it. */
  async function ask(method: string, path: string, init: BunFetchRequestInit = {}): Promise<Response> {
    for (;;) {
      try {
        return await fetch(url + path, { method, ...init });
      } catch {
        await Bun.sleep(20);
      }
    }
  }

  async function pushBlob(name: string, content: Uint8Array): Promise<string> {
    const digest = digestOf(content);
    for (;;) {
      if ((await ask("HEAD", `/v2/${name}/blobs/${digest}`)).status === 200) return digest;
      const path = (await ask("POST", `/v2/${name}/blobs/uploads/`)).headers.get("location") ?? "";
      if (await sendChunks(path, content, digest)) return digest;
    }
  }

  /** False where the upload is not known any more. */
  async function sendChunks(path: string, content: Uint8Array, digest: string): Promise<boolean> {
    for (let sent = 0; sent < content.length; ) {
      const body = content.slice(sent, sent + CHUNK);
      const headers = { "content-range": `${sent}-${sent + body.length - 1}` };
      const answer = await fetch(url + path, { method: "PATCH", body, headers }).catch(() => undefined);
      if (answer?.status === 202) sent += body.length;
      else {
        const state = await ask("GET", path);
        if (state.status !== 204) return false;
        const end = Number(state.headers.get("range")?.split("-")[1]);
        if (answer === undefined && end > 0) resumed++;
        sent = end === 0 ? 0 : end + 1;
      }
    }
    const finished = await ask("PUT", `${path}?digest=${digest}`);
    return finished.status === 201; // Else it is looked for anew: what was kept may not have been said.
  }

  async function client(name: string): Promise<void> {
    for (let count = 0; !done; count++) {
      const content = crypto.getRandomValues(new Uint8Array(60_000));
      const large = Buffer.alloc(CHUNK * CHUNKS, content);
      const config = await pushBlob(name, Buffer.from(`{"n":${count}}`));
      const layer = await pushBlob(name, large);
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { mediaType: mediaTypes.ociConfig, digest: config, size: `{"n":${count}}`.length },
        layers: [{ mediaType: mediaTypes.ociLayer, digest: layer, size: large.length }],
      });
      const headers = { "content-type": mediaTypes.ociManifest };
      const put = await ask("PUT", `/v2/${name}/manifests/t${count}`, { body: manifest, headers });
      if (put.status !== 201) throw new Error(`seed ${seed}: ${put.status} ${await put.text()}`);
      acknowledged.set(`${name}/manifests/t${count}`, digestOf(manifest));
    }
  }

  const clients = ["a", "b", "b/c"].map(client);
  for (let kill = 0; kill < KILLS; kill++) {
    await Bun.sleep(20 + random() * 600);
    await server.stop("SIGKILL");
    server = await serveRegistry(root, [], { port });
  }
  done = true;
  await Promise.all(clients);
  expect(acknowledged.size).toBeGreaterThan(2);
  expect(resumed).toBeGreaterThan(0);
  await server.stop("SIGKILL");
  await store.ok(["registry", "gc", "--root", root, "--older-than", "0s", "-q"]);

  server = await serveRegistry(root, [], { port });
  for (const [path, digest] of acknowledged) {
    const text = await (await ask("GET", `/v2/${path}`)).text();
    expect(digestOf(text)).toBe(digest);
    const { config, layers } = JSON.parse(text) as { config: { digest: string }; layers: { digest: string }[] };
    for (const one of [config, ...layers]) {
      const name = path.slice(0, path.indexOf("/manifests/"));
      const blob = await ask("GET", `/v2/${name}/blobs/${one.digest}`);
      expect(digestOf(await blob.bytes())).toBe(one.digest);
    }
  }
  await server.stop();
}, 120_000);

/** Numbers from 0 to 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
