/** `galley registry serve` and `gc` as commands. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../src/image/digest.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { startFaultsServer } from "../harness/faults-server.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage } from "../harness/image-builder.ts";
import { pushBlob, pushImage, pushManifest } from "../harness/push.ts";
import { type ServedRegistry, serveRegistry } from "../harness/serve.ts";
import { file } from "../harness/tar.ts";

let folder: string;
let store: Store;
beforeAll(() => {
  store = createStore();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "galley-serve-"));
});
const running: ServedRegistry[] = [];
const serve = async (...given: Parameters<typeof serveRegistry>) => {
  const server = await serveRegistry(...given);
  running.push(server);
  return server;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => store.cleanup());

const image = (text: string) => buildImage({ layers: [{ entries: [file("a", text)] }] });
const get = (server: ServedRegistry, path: string, init: BunFetchRequestInit = {}) => fetch(server.url + path, init);
const root = () => join(folder, "registry");

describe("serve", () => {
  test("keeps an OCI layout for each repository, blobs once", async () => {
    const server = await serve(root());
    await pushImage(server, "team/one", "1", image("x"));
    await pushImage(server, "team/two", "1", image("x"));
    const layout = join(root(), "repositories/team/one/_layout");
    expect(await store.ok(["copy", "-q", `oci:${layout}:1`, `dir:${join(folder, "out")}`])).toBe("");
    expect(readFileSync(join(folder, "out/manifest.json"), "utf8")).toBe(Buffer.from(image("x").bytes).toString());
    const { nlink } = await Bun.file(join(root(), "blobs", image("x").descriptor.digest.replace(":", "/"))).stat();
    expect(nlink).toBe(3);
  });

  test("ends in good order by a signal", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const server = await serve(root());
      expect((await get(server, "/v2/")).status).toBe(200);
      expect(await server.stop(signal)).toBe(0);
    }
  });

  test("lets a transfer that is under way end before it does", async () => {
    const server = await serve(root());
    const begun = await get(server, "/v2/a/blobs/uploads/", { method: "POST" });
    const pieces = ["first ", "second"];
    let ended: Promise<number> | undefined;
    const body = new ReadableStream({
      async pull(controller) {
        controller.enqueue(Buffer.from(pieces.shift() ?? ""));
        ended ??= Bun.sleep(200).then(() => server.stop());
        await Bun.sleep(600);
        if (pieces.length === 0) controller.close();
      },
    });
    const path = `${begun.headers.get("location")}?digest=${digestOf("first second")}`;
    expect((await get(server, path, { method: "PUT", body })).status).toBe(201);
    expect(await ended).toBe(0);
  });

  test("by TLS, to who knows the password", async () => {
    const { authority, certificate, key } = makeCertificates(folder);
    const passwords = join(folder, "htpasswd");
    writeFileSync(passwords, `anna:${await Bun.password.hash("secret", { algorithm: "bcrypt", cost: 4 })}\n`);
    const server = await serve(root(), ["--tls-cert", certificate, "--tls-key", key, "--htpasswd", passwords]);
    expect(server.url).toStartWith("https://");
    const ca = readFileSync(authority, "utf8");
    const refused = await get(server, "/v2/", { tls: { ca } });
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="Galley registry"']);
    const access = { url: server.url, authority: ca, auth: { user: "anna", password: "secret" } };
    await pushImage(access, "team/app", "1", image("x"));
    const args = ["copy", "-q", "--src-creds", "anna:secret", "--src-tls-verify=false"];
    await store.ok([...args, `docker://${server.host}/team/app:1`, `dir:${join(folder, "out")}`]);
    const wrong = await store.galley([
      "inspect",
      "--creds",
      "anna:no",
      "--tls-verify=false",
      `docker://${server.host}/team/app:1`,
    ]);
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining("access denied")]);
  });

  test("without deletion, or read-only", async () => {
    const first = await serve(root(), ["--delete=false"]);
    await pushImage(first, "a", "1", image("x"));
    expect((await get(first, "/v2/a/manifests/1", { method: "DELETE" })).status).toBe(405);
    await first.stop();
    const second = await serve(root(), ["--read-only"]);
    expect((await get(second, "/v2/a/manifests/1")).status).toBe(200);
    expect((await get(second, "/v2/a/blobs/uploads/", { method: "POST" })).status).toBe(405);
  });

  test("and collects what no tag leads to any more", async () => {
    const server = await serve(root(), ["--gc", "1s", "--gc-untagged", "--gc-older-than", "2s"]);
    const app = image("collected");
    await pushImage(server, "a", "1", app);
    await pushImage(server, "a", "2", image("kept"));
    expect((await get(server, "/v2/a/manifests/1", { method: "DELETE" })).status).toBe(202);
    const layer = join(root(), "blobs", (app.blobs[1]?.descriptor.digest ?? "").replace(":", "/"));
    expect(existsSync(layer)).toBe(true);
    for (let tries = 0; existsSync(layer) && tries < 200; tries++) await Bun.sleep(100);
    expect(existsSync(layer)).toBe(false);
    expect((await get(server, `/v2/a/manifests/${app.descriptor.digest}`)).status).toBe(404);
    expect((await get(server, "/v2/a/manifests/2")).status).toBe(200);
  });

  test("what it cannot do it says, and ends", async () => {
    const server = await serve(root());
    const failing = async (...args: string[]) => {
      const { status, stderr } = await store.galley(["registry", "serve", ...args]);
      return [status, stderr];
    };
    const other = join(folder, "other");
    expect(await failing("--root", other, "--listen", server.host)).toEqual([1, expect.stringContaining(server.host)]);
    expect(await failing("--root", root())).toEqual([1, expect.stringContaining("another process serves it")]);
    expect(await failing("--root", other, "--listen", "here")).toEqual([1, expect.stringContaining("HOST:PORT")]);
    expect(await failing("--root", other, "--tls-cert", "x")).toEqual([1, expect.stringContaining("go together")]);
    const [own, strange] = [mkdtempSync(join(folder, "own-")), mkdtempSync(join(folder, "strange-"))].map(
      makeCertificates,
    );
    expect(
      await failing("--root", other, "--tls-cert", own?.certificate ?? "", "--tls-key", strange?.key ?? ""),
    ).toEqual([1, expect.stringContaining("belong to each other")]);
    expect(await failing("--root", other, "--gc", "1ms")).toEqual([1, expect.stringContaining("at least a second")]);
    expect(await failing("--root", other, "--mirror", "x")).toEqual([
      1,
      expect.stringContaining("address of a registry"),
    ]);
  }, 30_000);
});

describe("serve --mirror", () => {
  test("reads through, keeps what came, and does without the other registry", async () => {
    const upstream = await serve(join(folder, "upstream"));
    const app = image("x".repeat(100_000));
    await pushImage(upstream, "team/app", "1", app);
    const gate = await startFaultsServer(upstream.url);
    const server = await serve(root(), ["--mirror", gate.url]);
    try {
      const copy = (to: string) =>
        store.galley(["copy", "-q", `docker://${server.host}/team/app:1`, `dir:${join(folder, to)}`]);
      expect(await copy("first")).toEqual({ status: 0, stdout: "", stderr: "" });
      const blobs = () =>
        gate.requests.filter(({ method, path }) => method === "GET" && path.includes("/blobs/")).length;
      const fetched = blobs();
      expect(fetched).toBe(2);
      expect((await copy("second")).status).toBe(0);
      expect(blobs()).toBe(fetched);
      const tags = await (await get(server, "/v2/team/app/tags/list")).json();
      expect(tags).toEqual({ name: "team/app", tags: ["1"] });
      expect((await get(server, "/v2/team/app/manifests/none")).status).toBe(404);
      expect((await get(server, `/v2/team/app/blobs/${digestOf("none")}`)).status).toBe(404);
      expect((await get(server, "/v2/a/blobs/uploads/", { method: "POST" })).status).toBe(405);
      await pushManifest(upstream, "team/app", "1", await moved(upstream));
      expect(await (await get(server, "/v2/team/app/manifests/1")).text()).toContain("moved");
      gate.inject({ path: "/v2/", act: { status: 404 } });
      expect((await get(server, "/v2/team/app/manifests/1")).status).toBe(404);
      gate.heal();
      await gate.stop();
      expect(await (await get(server, "/v2/team/app/manifests/1")).text()).toContain("moved");
      // Nobody knows whether there is such a tag.
      expect((await get(server, "/v2/team/app/manifests/none")).status).toBe(503);
    } finally {
      await gate.stop().catch(() => undefined);
    }
  });

  test("reads through where the other registry knows no HEAD", async () => {
    const upstream = await serve(join(folder, "upstream-without-head"));
    const app = image("y".repeat(100_000));
    await pushImage(upstream, "team/app", "1", app);
    const gate = await startFaultsServer(upstream.url);
    const server = await serve(root(), ["--mirror", gate.url]);
    try {
      gate.inject({ method: "HEAD", path: "/v2/team/", act: { status: 405 } });
      const got = await store.galley([
        "copy",
        "-q",
        `docker://${server.host}/team/app:1`,
        `dir:${join(folder, "no-head")}`,
      ]);
      expect(got).toEqual({ status: 0, stdout: "", stderr: "" });
    } finally {
      await gate.stop();
    }
  });

  /** Another image for the tag. */
  async function moved(upstream: ServedRegistry) {
    const other = buildImage({
      layers: [],
      editManifest: (manifest) => ({ ...manifest, annotations: { is: "moved" } }),
    });
    for (const blob of other.blobs) await pushBlob(upstream, "team/app", blob);
    return other;
  }

  test("tells nobody of content that is not what it should be", async () => {
    const upstream = await serve(join(folder, "upstream"));
    const app = image("x".repeat(100_000));
    await pushImage(upstream, "team/app", "1", app);
    const layer = app.blobs[1]!.descriptor.digest;
    const gate = await startFaultsServer(upstream.url, {
      faults: [{ path: layer, method: "GET", act: { flipByteAt: 5 } }],
    });
    const server = await serve(root(), ["--mirror", gate.url]);
    try {
      await get(server, `/v2/team/app/blobs/${layer}`)
        .then((response) => response.bytes())
        .catch(() => undefined);
      expect(existsSync(join(root(), "blobs", layer.replace(":", "/")))).toBeFalse();
      gate.heal();
      const again = await get(server, `/v2/team/app/blobs/${layer}`);
      expect(digestOf(await again.bytes())).toBe(layer);
    } finally {
      await gate.stop();
    }
  });
});

describe("gc", () => {
  const pathOf = (digest: string, repository?: string) =>
    join(
      root(),
      repository === undefined ? "" : `repositories/${repository}/_layout`,
      "blobs",
      digest.replace(":", "/"),
    );

  test("deletes what no manifest names, and nothing else", async () => {
    const server = await serve(root());
    const [kept, untagged, lost] = [image("kept"), image("untagged"), image("lost")];
    await pushImage(server, "a", "1", kept);
    await pushImage(server, "a", untagged.descriptor.digest, untagged);
    for (const blob of lost.blobs) await pushBlob(server, "a", blob);
    await get(server, "/v2/a/blobs/uploads/", { method: "POST" });
    const refused = await store.galley(["registry", "gc", "--root", root()]);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("another process serves it")]);
    await server.stop();

    expect(await store.ok(["registry", "gc", "--root", root()])).toBe("Total reclaimed space: 0B");
    const layer = lost.blobs[1]!.descriptor.digest;
    const said = await store.ok(["registry", "gc", "--root", root(), "--older-than", "0s"]);
    expect(said).toContain(`deleted: a@${layer}\n`);
    expect(existsSync(pathOf(layer))).toBeFalse();
    expect(existsSync(pathOf(layer, "a"))).toBeFalse();
    expect(existsSync(pathOf(untagged.descriptor.digest, "a"))).toBeTrue();

    await store.ok(["registry", "gc", "--root", root(), "--older-than", "0s", "-m", "--quiet"]);
    expect(existsSync(pathOf(untagged.descriptor.digest, "a"))).toBeFalse();
    expect(existsSync(pathOf(untagged.blobs[1]!.descriptor.digest))).toBeFalse();
    const again = await serve(root());
    for (const { descriptor } of [...kept.blobs, kept]) {
      expect((await get(again, `/v2/a/blobs/${descriptor.digest}`)).status).toBe(200);
    }
  });
});
