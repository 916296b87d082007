import { afterAll, expect, test } from "bun:test";
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pkcs11Wrapper } from "./pkcs11.ts";

const folder = mkdtempSync(join(tmpdir(), "galley-pkcs11-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pair(name: string, modulusLength: number): { readonly file: string; readonly key: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength });
  const file = join(folder, name);
  writeFileSync(file, publicKey.export({ type: "spki", format: "pem" }));
  return { file, key: privateKey };
}
const [small, big] = [pair("small", 2048), pair("big", 3072)];
/** As long as a layer's key and what belongs to it are. */
const secret = Buffer.alloc(192, "s");

/** What a token does. */
function decrypted(key: KeyObject, oaepHash: string, blob: string): Buffer {
  const how = { key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING };
  return privateDecrypt(how, Buffer.from(blob, "base64"));
}
const parsed = (wrapped: Uint8Array) => JSON.parse(Buffer.from(wrapped).toString());

test("each recipient's token decrypts its own part", async () => {
  const wrapper = pkcs11Wrapper([small.file, big.file], { OCICRYPT_OAEP_HASHALG: "sha1" });
  const { recipients, ...rest } = parsed(await wrapper.wrap(secret));
  expect({ scheme: wrapper.scheme, ...rest }).toEqual({ scheme: "pkcs11", version: 0 });
  for (const [position, { key }] of [small, big].entries()) {
    const { blob, ...said } = recipients[position];
    expect(said).toEqual({ version: 0, hash: "sha1" });
    expect(decrypted(key, "sha1", blob)).toEqual(secret);
  }
});

test("the hash is SHA-256 where nothing is said, for which 2048 bits are too few", async () => {
  const { recipients } = parsed(await pkcs11Wrapper([big.file], {}).wrap(secret));
  expect(recipients[0].hash).toBe("sha256");
  expect(decrypted(big.key, "sha256", recipients[0].blob)).toEqual(secret);
  await expect(pkcs11Wrapper([small.file], {}).wrap(secret)).rejects.toThrow("the RSA key is too small");
  expect(() => pkcs11Wrapper([big.file], { OCICRYPT_OAEP_HASHALG: "md5" })).toThrow("Unsupported OAEP hash 'md5'");
});

test("keys in a token, and files without an RSA key, are refused", () => {
  const [token, ec] = [join(folder, "token.yaml"), join(folder, "ec")];
  writeFileSync(token, "pkcs11:\n  uri: pkcs11:token=one;object=two\n");
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(ec, publicKey.export({ type: "spki", format: "pem" }));
  expect(() => pkcs11Wrapper([token])).toThrow("they need the token's module");
  expect(() => pkcs11Wrapper([ec])).toThrow("Provided file is not a public key");
});
