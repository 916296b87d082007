/** Layers that are encrypted for somebody, as containers/ocicrypt has it; skopeo reads what Galley wrote, and the other way round. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { patience } from "../harness/patience.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { testWith } from "../harness/requirements.ts";
import { blobOf, EncryptionLab, layersOf, manifestOf, prefix } from "./encryption-lab.ts";

// Some tests are a dozen commands.
setDefaultTimeout(30_000 * patience);

const lab = new EncryptionLab();
const { store, plain, key, fresh, place, copy, refused } = lab;
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(key("rsa.pub"), rsa.publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(key("rsa.key"), rsa.privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(key("der.pub"), rsa.publicKey.export({ type: "spki", format: "der" }));
  writeFileSync(key("der.key"), rsa.privateKey.export({ type: "pkcs1", format: "der" }));
  writeFileSync(key("jwk.pub"), JSON.stringify({ ...jwk(rsa.publicKey), alg: "RSA-OAEP-256" }));
  writeFileSync(key("jwk.key"), JSON.stringify(jwk(rsa.privateKey)));
  writeFileSync(key("locked.key"), lockedPem(rsa.privateKey, "secret"));
  writeFileSync(key("password"), "secret");
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(key("other.key"), other.privateKey.export({ type: "pkcs8", format: "pem" }));
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(key("ec.pub"), ec.publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(key("ec.key"), ec.privateKey.export({ type: "pkcs8", format: "pem" }));
});
afterAll(async () => {
  await Promise.all([lab.stop(), registry?.stop()]);
});

const jwk = (from: KeyObject) => from.export({ format: "jwk" });
const lockedPem = (from: KeyObject, passphrase: string) =>
  from.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase });

const encrypted = (...flags: readonly string[]) => lab.locked("--encryption-key", `jwe:${key("rsa.pub")}`, ...flags);
const gzipped = "application/vnd.oci.image.layer.v1.tar+gzip";

describe("an image that is encrypted", () => {
  test("has other layers, of types that say so, and comes back as it was", async () => {
    const locked = await encrypted();
    expect(layersOf(locked).map(({ mediaType }) => mediaType)).toEqual(Array(3).fill(`${gzipped}+encrypted`));
    const before = new Set(layersOf(plain).map(({ digest }) => digest));
    expect(layersOf(locked).filter(({ digest }) => before.has(digest))).toEqual([]);
    for (const { digest } of layersOf(locked))
      expect([...blobOf(locked, digest).subarray(0, 2)]).not.toEqual([0x1f, 0x8b]);
    const back = place();
    await copy("--decryption-key", key("rsa.key"), locked, back);
    expect(layersOf(back)).toEqual(layersOf(plain));
    expect(manifestOf(back).layers).toEqual(manifestOf(plain).layers);
  });

  test("is copied as it is without a key", async () => {
    const [locked, again] = [await encrypted(), place()];
    await copy(locked, again);
    expect(manifestOf(again).digest).toBe(manifestOf(locked).digest);
  });

  test("is encrypted in part where layers are named, from either end", async () => {
    const isLocked = (layout: string) => layersOf(layout).map(({ mediaType }) => mediaType.endsWith("+encrypted"));
    const locked = await encrypted("--encrypt-layer", "0", "--encrypt-layer", "-1");
    expect(isLocked(locked)).toEqual([true, false, true]);
    expect(isLocked(await encrypted("--encrypt-layer=1,2"))).toEqual([false, true, true]);
    const back = place();
    await copy("--decryption-key", key("rsa.key"), locked, back);
    expect(layersOf(back)).toEqual(layersOf(plain));
  });

  test("is compressed first where that is asked for", async () => {
    const [locked, back] = [await encrypted("--dest-compress-format", "zstd"), place()];
    await copy("--decryption-key", key("rsa.key"), locked, back);
    const [layer] = layersOf(back);
    expect(layer?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+zstd");
    expect(blobOf(back, layer?.digest ?? "").readUInt32LE(0)).toBe(0xfd2fb528);
  });

  test("goes through a registry, and into the store", async () => {
    await store.ok(["copy", "-q", plain, "containers-storage:local/plain:1"]);
    const remote = `${registry.host}/team/locked:1`;
    await store.ok([
      "push",
      "-q",
      "--tls-verify=false",
      "--encryption-key",
      `jwe:${key("ec.pub")}`,
      "local/plain:1",
      remote,
    ]);
    const flags = ["--src-tls-verify=false", "--decryption-key", key("ec.key")];
    await copy(...flags, `docker://${remote}`, "containers-storage:local/opened:1");
    const idOf = async (name: string) => (await store.ok(["image", "inspect", "-f", "{{.Id}}", name])).trim();
    expect(await idOf("local/opened:1")).toBe(await idOf("local/plain:1"));
  });
});

describe("keys", () => {
  for (const [name, secret] of [
    ["rsa.pub", "rsa.key"],
    ["der.pub", "der.key"],
    ["jwk.pub", "jwk.key"],
    ["ec.pub", "ec.key"],
  ] as const) {
    test(`${name} and ${secret} fit`, async () => {
      const [locked, back] = [place(), place()];
      await copy("--encryption-key", `jwe:${key(name)}`, plain, locked);
      await copy("--decryption-key", key(secret), locked, back);
      expect(layersOf(back)).toEqual(layersOf(plain));
    });
  }

  test("may be several: each opens it, and one that fits is found", async () => {
    const locked = place();
    const both = ["rsa.pub", "ec.pub"].flatMap((name) => ["--encryption-key", `jwe:${key(name)}`]);
    await copy(...both, plain, locked);
    for (const flags of [[key("rsa.key")], [key("ec.key")], [key("other.key"), key("ec.key")]]) {
      const back = place();
      await copy(...flags.flatMap((path) => ["--decryption-key", path]), locked, back);
      expect(layersOf(back)).toEqual(layersOf(plain));
    }
  });

  test("are opened with a password, however that is said", async () => {
    const locked = await encrypted();
    for (const password of ["secret", "pass=secret", `file=${key("password")}`]) {
      await copy("--decryption-key", `${key("locked.key")}:${password}`, locked, place());
    }
    await refused("Missing password for encrypted private key", "--decryption-key", key("locked.key"), locked, place());
    await refused("Wrong password", "--decryption-key", `${key("locked.key")}:pass=no`, locked, place());
  });

  test("that do not fit open nothing", async () => {
    const [locked, back] = [await encrypted(), place()];
    const why = "no suitable key unwrapper found or none of the private keys could be used for decryption";
    await refused(why, "--decryption-key", key("other.key"), locked, back);
    await refused("File provided is not a private key", "--decryption-key", key("rsa.pub"), locked, back);
    await refused("Unable to read file", "--decryption-key", key("nothing"), locked, back);
  });

  test("of recipients that make no sense are refused", async () => {
    const to = place();
    await refused("File provided is not a public key", "--encryption-key", `jwe:${key("password")}`, plain, to);
    await refused("Invalid recipient format", "--encryption-key", key("rsa"), plain, to);
    await refused("Provided protocol not recognized", "--encryption-key", `magic:${key("rsa.pub")}`, plain, to);
    const why = "keys in a PKCS #11 token are not supported: they need the token's module";
    writeFileSync(key("token.yaml"), "pkcs11:\n  uri: pkcs11:token=x\n");
    await refused(why, "--encryption-key", `pkcs11:${key("token.yaml")}`, plain, to);
    await refused(why, "--decryption-key", key("token.yaml"), await encrypted(), to);
  });
});

describe("what does not go together is refused:", () => {
  const forRsa = () => ["--encryption-key", `jwe:${key("rsa.pub")}`];
  test("both directions at once", () =>
    refused("cannot be specified together", ...forRsa(), "--decryption-key", key("rsa.key"), plain, place()));
  test("layers without a key", () =>
    refused("--encrypt-layer can only be used with --encryption-key", "--encrypt-layer", "0", plain, place()));
  test("a layer that is not there", () =>
    refused("layer index 3 out of range (3 layers exist)", ...forRsa(), "--encrypt-layer", "3", plain, place()));
  test("zstd:chunked", () =>
    refused(
      "of no use where layers are encrypted",
      ...forRsa(),
      "--dest-compress-format",
      "zstd:chunked",
      plain,
      place(),
    ));
  test("Docker's format", async () => {
    const why = "encrypted layers need a manifest in OCI's format";
    await refused(why, ...forRsa(), plain, `docker-archive:${fresh()}`);
    await refused(why, ...forRsa(), "--format", "v2s2", plain, `dir:${fresh()}`);
    await refused(why, "--format", "v2s2", await encrypted(), `dir:${fresh()}`);
  });
  test("digests that are to stay", async () => {
    await refused("Instructed to preserve digests", ...forRsa(), "--preserve-digests", plain, place());
    const keys = ["--decryption-key", key("rsa.key")];
    await refused("Instructed to preserve digests", ...keys, "--preserve-digests", await encrypted(), place());
  });
});

/** An encrypted image whose first layer's public options were changed by somebody without a key. */
async function meddled(changes: object): Promise<string> {
  const locked = await encrypted();
  const to = fresh();
  await copy(locked, `dir:${to}`);
  const { digest: _, ...manifest } = manifestOf(locked);
  const [first, ...others] = manifest.layers;
  const options = JSON.parse(Buffer.from(first?.annotations?.[`${prefix}pubopts`] ?? "", "base64").toString());
  const text = Buffer.from(JSON.stringify({ ...options, ...changes })).toString("base64");
  const annotations = { ...first?.annotations, [`${prefix}pubopts`]: text };
  const bytes = JSON.stringify({ ...manifest, layers: [{ ...first, annotations }, ...others] });
  writeFileSync(join(to, "manifest.json"), bytes);
  return `dir:${to}`;
}

test("a layer that was altered is not taken, and nothing of it is left", async () => {
  const altered = await meddled({ hmac: Buffer.alloc(32).toString("base64") });
  const to = fresh();
  await refused("its HMAC is another", "--decryption-key", key("rsa.key"), altered, `dir:${to}`);
  expect(existsSync(to)).toBeFalse();
});

test("a nonce that everybody can write counts for nothing beside the one that is encrypted", async () => {
  const altered = await meddled({ cipheroptions: { nonce: Buffer.alloc(16, 7).toString("base64") } });
  const back = place();
  await copy("--decryption-key", key("rsa.key"), altered, back);
  expect(layersOf(back)).toEqual(layersOf(plain));
});

describe("beside skopeo", () => {
  const { skopeo } = lab;
  testWith({ commands: ["skopeo"] }, "what Galley encrypted is decrypted by skopeo", async () => {
    for (const flags of [[], ["--encryption-key", `jwe:${key("ec.pub")}`]]) {
      const [locked, back] = [await encrypted(...flags), place()];
      await skopeo("--decryption-key", key("rsa.key"), locked, back);
      expect(layersOf(back)).toEqual(layersOf(plain));
    }
  });
  testWith({ commands: ["skopeo"] }, "what skopeo encrypted is decrypted by Galley", async () => {
    for (const names of [["rsa"], ["ec"], ["rsa", "ec"]]) {
      const [locked, back] = [place(), place()];
      await skopeo(...names.flatMap((name) => ["--encryption-key", `jwe:${key(`${name}.pub`)}`]), plain, locked);
      await copy("--decryption-key", key(`${names[0]}.key`), locked, back);
      expect(layersOf(back)).toEqual(layersOf(plain));
    }
  });
});

describe("an encrypted image that is pulled", () => {
  const needs = { root: true, commands: ["skopeo", "docker-registry"] };
  /** Pushed by skopeo, which encrypts all of it, or the layers that are named. */
  async function pushed(name: string, ...flags: readonly string[]): Promise<string> {
    const keys = ["--encryption-key", `jwe:${key("rsa.pub")}`, ...flags];
    const to = `docker://${registry.host}/team/${name}:1`;
    await lab.skopeo("--dest-tls-verify=false", ...keys, plain, to);
    return `${registry.host}/team/${name}:1`;
  }
  const pull = (reference: string, ...flags: readonly string[]) =>
    store.galley(["pull", "--tls-verify=false", ...flags, reference]);
  const inspected = (name: string, format: string) =>
    store.ok(["image", "inspect", "-f", format, name]).then((text) => text.trim());
  async function refusedPull(reference: string, message: string, ...flags: readonly string[]): Promise<void> {
    const { status, stderr } = await pull(reference, ...flags);
    expect({ status, told: stderr.includes(message) ? message : stderr }).toEqual({ status: 1, told: message });
    expect((await store.galley(["image", "exists", reference])).status).toBe(1);
  }
  /** The content of the store's image, as a layout. */
  async function kept(name: string): Promise<string> {
    const to = place();
    await copy(`containers-storage:${name}`, to);
    return to;
  }

  testWith(needs, "is kept without its encryption, under the names and the digest that were asked for", async () => {
    const reference = await pushed("whole");
    const { status, stdout } = await pull(reference, "--decryption-key", key("rsa.key"));
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("Downloaded newer image") });
    const layout = await kept(reference);
    expect(manifestOf(layout).layers).toEqual(manifestOf(plain).layers);
    expect(await inspected(reference, "{{.Id}}")).toBe(manifestOf(plain).config.digest);
    const digest = /Digest: (sha256:\w+)/.exec(stdout)?.[1];
    const byDigest = `${registry.host}/team/whole@${digest}`;
    expect(await inspected(reference, "{{index .RepoDigests 0}}")).toBe(byDigest);
    await store.ok(["rmi", "-f", await inspected(reference, "{{.Id}}")]);
    expect((await pull(byDigest, "--decryption-key", key("rsa.key"))).status).toBe(0);
    await store.ok(["rmi", "-f", manifestOf(plain).config.digest]);
  });

  testWith(needs, "is not fetched again where it is there, but asked the key for", async () => {
    const reference = await pushed("again");
    expect((await pull(reference, "--decryption-key", key("rsa.key"))).status).toBe(0);
    const blobs = readdirSync(join(store.root, "content/blobs/sha256")).sort();
    for (const { digest } of manifestOf(await kept(reference)).layers) expect(blobs).toContain(digest.slice(7));
    const [layer] = layersOf(await encryptedAt(reference));
    rmSync(registry.blobFile(layer?.digest ?? ""));
    const again = await pull(reference, "--decryption-key", key("rsa.key"));
    expect({ status: again.status, stdout: again.stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("Image is up to date"),
    });
    const other = await pull(reference, "--decryption-key", key("other.key"));
    expect({ status: other.status, stderr: other.stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no suitable key unwrapper found"),
    });
    await store.ok(["rmi", "-f", manifestOf(plain).config.digest]);
  });
  /** The registry's image as a layout, as it is there. */
  async function encryptedAt(reference: string): Promise<string> {
    const to = place();
    await copy("--src-tls-verify=false", `docker://${reference}`, to);
    return to;
  }

  testWith(needs, "may be encrypted in part", async () => {
    const reference = await pushed("part", "--encrypt-layer", "1");
    expect((await pull(reference, "-q", "--decryption-key", key("rsa.key"))).stdout.trim()).toBe(reference);
    expect(manifestOf(await kept(reference)).layers).toEqual(manifestOf(plain).layers);
    await store.ok(["rmi", "-f", manifestOf(plain).config.digest]);
  });

  testWith(needs, "is refused without the right key, and nothing of it is left", async () => {
    const reference = await pushed("refused");
    await refusedPull(reference, "missing private key needed for decryption");
    const why = "no suitable key unwrapper found or none of the private keys could be used for decryption";
    await refusedPull(reference, why, "--decryption-key", key("other.key"));
    await refusedPull(reference, "Unable to read file", "--decryption-key", key("nothing"));
    await refusedPull(reference, "File provided is not a private key", "--decryption-key", key("rsa.pub"));
    await refusedPull(reference, "Missing password", "--decryption-key", key("locked.key"));
    await store.ok(["image", "prune", "-af"]);
    expect(readdirSync(join(store.root, "content/blobs/sha256"))).toEqual([]);
  });

  testWith(needs, "is refused where a layer was altered on its way", async () => {
    const reference = await pushed("altered");
    const [layer] = layersOf(await encryptedAt(reference));
    const path = registry.blobFile(layer?.digest ?? "");
    const bytes = readFileSync(path);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const { status, stderr } = await pull(reference, "--decryption-key", key("rsa.key"));
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining(layer?.digest ?? "") });
    expect(readdirSync(join(store.root, "content/ingest")).filter((name) => name.startsWith("stream-"))).toEqual([]);
  });

  for (const command of ["run", "create"]) {
    testWith(needs, `${command} --decryption-key pulls it`, async () => {
      const reference = await pushed(command);
      // There is no such program in it: what is tried is the pull.
      const bare = await store.galley([command, "--pull=always", reference, "/none"]);
      expect({ status: bare.status, stderr: bare.stderr }).toMatchObject({
        status: 125,
        stderr: expect.stringContaining("missing private key needed for decryption"),
      });
      await store.galley([command, "--decryption-key", key("rsa.key"), reference, "/none"]);
      expect(await inspected(reference, "{{.Id}}")).toBe(manifestOf(plain).config.digest);
      await store.ok(["rm", "-f", ...(await store.ok(["ps", "-aq"])).split("\n").filter(Boolean)]);
      await store.ok(["rmi", "-f", manifestOf(plain).config.digest]);
    });
  }
});
