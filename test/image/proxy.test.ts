/** Registries that are reached through the proxy of the environment. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const needs = { commands: ["docker-registry"] };
const image = buildImage({ layers: [{ entries: [file("a", "x")] }] });

let registry: Registry;
let store: Store;
let proxy: Bun.Server<undefined>;
const asked: string[] = [];
beforeAll(async () => {
  store = createStore();
  registry = await startRegistry();
  await registry.push("team/app", "1", image);
  // A proxy is asked for whole URLs (RFC 9112 section 3.2.2); this one knows where registry.test is.
  proxy = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const url = new URL(request.url);
      asked.push(`${request.method} ${url.host}${url.pathname}`);
      return fetch(registry.url + url.pathname + url.search, { method: request.method, headers: request.headers });
    },
  });
});
afterAll(async () => {
  await proxy?.stop(true);
  await registry?.stop();
  await store?.cleanup();
});

describe("a registry", () => {
  const digest = (host: string, env: Readonly<Record<string, string>>) =>
    store.galley(["inspect", "--tls-verify=false", "--no-tags", "-f", "{{.Digest}}", `docker://${host}/team/app:1`], {
      env,
    });

  for (const name of ["HTTP_PROXY", "http_proxy"]) {
    testWith(needs, `is asked through ${name}`, async () => {
      asked.length = 0;
      const { status, stdout, stderr } = await digest("registry.test:80", { [name]: `http://127.0.0.1:${proxy.port}` });
      expect([status, stdout, stderr]).toEqual([0, `${image.descriptor.digest}\n`, ""]);
      expect(asked.some((one) => one.endsWith("/v2/team/app/manifests/1"))).toBeTrue();
    });
  }

  testWith(needs, "on this machine is asked directly", async () => {
    asked.length = 0;
    const { status } = await digest(registry.host, { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` });
    expect([status, asked]).toEqual([0, []]);
  });

  testWith(needs, "of NO_PROXY is asked directly", async () => {
    asked.length = 0;
    const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: "registry.test" };
    const { status, stderr } = await digest("registry.test:80", env);
    expect([status, asked]).toEqual([1, []]);
    expect(stderr).toContain("registry.test");
  });

  for (const [name, value] of [
    ["HTTP_PROXY", "::::"],
    ["http_proxy", "socks5://127.0.0.1:1080"],
  ] as const) {
    testWith(needs, `is not asked at all where ${name}=${value}`, async () => {
      const { status, stderr } = await digest("registry.test:80", { [name]: value });
      expect([status, stderr]).toEqual([1, expect.stringContaining(`${name}: it names no proxy that speaks HTTP`)]);
    });
  }

  testWith({}, "behind a proxy that wants a login is told so at once", async () => {
    const tunnels: string[] = [];
    const gate = createServer((socket) => {
      socket.once("data", (data) => {
        tunnels.push(String(data).split(" ", 2).join(" "));
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
      });
    }).listen(0, "127.0.0.1");
    await once(gate, "listening");
    const { port } = gate.address() as AddressInfo;
    const args = ["inspect", "--no-tags", "docker://registry.test/team/app:1"];
    const { status, stderr } = await store.galley(args, { env: { HTTPS_PROXY: `http://127.0.0.1:${port}` } });
    gate.close();
    expect([status, stderr]).toEqual([1, expect.stringContaining("the proxy refuses: 407")]);
    expect(tunnels).toEqual(["CONNECT registry.test:443"]);
  });
});
