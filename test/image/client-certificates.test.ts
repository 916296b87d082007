/** A registry that takes nobody without a certificate: docker-registry by TLS, with certificates where docker and podman keep them. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { makeCertificates } from "../harness/certificates.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage, writeLayout } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const needs = { commands: ["docker-registry", "openssl", "skopeo"] };
const image = buildImage({ layers: [{ entries: [file("a", "content")] }] });
let base: string;
let registry: Registry;
let store: Store;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  base = mkdtempSync(join(tmpdir(), "galley-mutual-"));
  registry = await startRegistry({ tls: true, clientCertificates: true });
  store = createStore();
  writeLayout(join(base, "layout"), "one", image);
  const own = dirname(registry.authority ?? "");
  certificatesIn("good", own, true);
  certificatesIn("none", own, false);
  mkdirSync(join(base, "stranger"));
  makeCertificates(join(base, "stranger"));
  certificatesIn("wrong", join(base, "stranger"), true);
  copyFileSync(join(own, "ca.crt"), join(base, "wrong/ca.crt"));
});
afterAll(async () => {
  await registry?.stop();
  await store?.cleanup();
  if (base !== undefined) rmSync(base, { recursive: true });
});

/** A directory as of certs.d: the authority, and the client's certificate with its key. */
function certificatesIn(name: string, from: string, client: boolean): void {
  mkdirSync(join(base, name));
  copyFileSync(join(from, "ca.crt"), join(base, name, "ca.crt"));
  if (!client) return;
  copyFileSync(join(from, "server.crt"), join(base, name, "client.cert"));
  copyFileSync(join(from, "server.key"), join(base, name, "client.key"));
}

const at = (name: string) => `docker://${registry.host}/${name}`;

describe("client certificates", () => {
  testWith(needs, "of --dest-cert-dir and --src-cert-dir, as skopeo has them", async () => {
    const layout = `oci:${join(base, "layout")}:one`;
    await store.ok(["copy", "-q", "--dest-cert-dir", join(base, "good"), layout, at("team/app:1")]);
    await store.ok(["copy", "-q", "--src-cert-dir", join(base, "good"), at("team/app:1"), `dir:${join(base, "back")}`]);
    expect(readFileSync(join(base, "back/manifest.json")).equals(Buffer.from(image.bytes))).toBe(true);
    const real = ["skopeo", "inspect", "--raw", "--cert-dir", join(base, "good"), at("team/app:1")];
    expect(Bun.spawnSync(real).stdout.toString()).toBe(Buffer.from(image.bytes).toString());
  });

  testWith(needs, "of certs.d, for pull and push", async () => {
    const known = join(store.home, ".config/containers/certs.d", registry.host);
    mkdirSync(known, { recursive: true });
    for (const name of ["ca.crt", "client.cert", "client.key"])
      copyFileSync(join(base, "good", name), join(known, name));
    try {
      await store.ok(["copy", "-q", `oci:${join(base, "layout")}:one`, at("team/certs:1")]);
      expect(await store.ok(["list-tags", at("team/certs")])).toContain('"1"');
    } finally {
      rmSync(join(store.home, ".config/containers"), { recursive: true });
    }
  });

  for (const [which, why] of [
    ["none", "no certificate"],
    ["wrong", "one of another authority"],
  ] as const) {
    testWith(needs, `${why}: refused, and said so`, async () => {
      const { status, stderr } = await store.galley([
        "inspect",
        "-n",
        "--cert-dir",
        join(base, which),
        at("team/app:1"),
      ]);
      expect(status).toBe(1);
      expect(stderr).toContain(registry.host);
      expect(stderr).toMatch(/certificate/i);
    });
  }

  testWith(needs, "a key that is not the certificate's, or is missing, is told by its file", async () => {
    certificatesIn("mixed", dirname(registry.authority ?? ""), true);
    copyFileSync(join(base, "stranger/server.key"), join(base, "mixed/client.key"));
    const mixed = await store.galley(["inspect", "-n", "--cert-dir", join(base, "mixed"), at("team/app:1")]);
    expect(mixed.stderr).toContain("client.key is not this client certificate's");
    rmSync(join(base, "mixed/client.key"));
    const missingKey = await store.galley(["inspect", "-n", "--cert-dir", join(base, "mixed"), at("team/app:1")]);
    expect(missingKey.stderr).toContain("the key of this client certificate is missing");
    writeFileSync(join(base, "mixed/client.key"), "rubbish");
    const rubbish = await store.galley(["inspect", "-n", "--cert-dir", join(base, "mixed"), at("team/app:1")]);
    expect(rubbish.stderr).toContain("mixed/client.cert: the client certificate or its key cannot be read");
    expect([mixed.status, missingKey.status, rubbish.status]).toEqual([1, 1, 1]);
  });
});
