import { afterAll, describe, expect, test } from "bun:test";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pkcs7Opener, pkcs7Wrapper } from "./pkcs7.ts";

const folder = mkdtempSync(join(tmpdir(), "galley-pkcs7-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A certificate that signs itself, and its key. */
function certify(name: string, ...words: readonly string[]): { readonly file: string; readonly key: KeyObject } {
  const [file, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const made = ["-x509", "-nodes", "-days", "2", "-subj", `/O=Galley/CN=${name}`, "-keyout", keyFile, "-out", file];
  const { exitCode, stderr } = Bun.spawnSync(["openssl", "req", "-newkey", ...words, ...made]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return { file, key: createPrivateKey(readFileSync(keyFile)) };
}
const [one, two] = [certify("one", "rsa:2048"), certify("two", "rsa:3072")];
const secret = Buffer.from(JSON.stringify({ symkey: "x".repeat(300) }));

describe("what is wrapped for certificates", () => {
  test("is opened with each of their keys, and no other", async () => {
    const wrapped = await pkcs7Wrapper([one.file, two.file]).wrap(secret);
    for (const { key } of [one, two]) expect(await pkcs7Opener([key]).open(wrapped, "pkcs7")).toEqual(secret);
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    expect(await pkcs7Opener([ec, other, one.key]).open(wrapped, "pkcs7")).toEqual(secret);
    const why = "PKCS7: No suitable private key found for decryption";
    await expect(pkcs7Opener([ec, other]).open(wrapped, "pkcs7")).rejects.toThrow(why);
  });

  test("is opened however many they are", async () => {
    const wrapped = await pkcs7Wrapper([...Array.from({ length: 250 }, () => two.file), one.file]).wrap(secret);
    expect(wrapped.length).toBeGreaterThan(1 << 16);
    expect(await pkcs7Opener([one.key]).open(wrapped, "pkcs7")).toEqual(secret);
  });

  test("is what openssl reads as PKCS #7 for them", async () => {
    const file = join(folder, "wrapped");
    writeFileSync(file, await pkcs7Wrapper([one.file]).wrap(secret));
    const read = Bun.spawnSync(["openssl", "asn1parse", "-inform", "DER", "-in", file]).stdout.toString();
    for (const part of ["pkcs7-envelopedData", ":Galley", ":one", "rsaEncryption", "pkcs7-data", "aes-128-gcm"]) {
      expect(read).toContain(part);
    }
  });

  test("is not opened once it was altered", async () => {
    const wrapped = Buffer.from(await pkcs7Wrapper([one.file]).wrap(secret));
    const last = wrapped.length - 1;
    wrapped[last] = (wrapped[last] ?? 0) ^ 1;
    await expect(pkcs7Opener([one.key]).open(wrapped, "pkcs7")).rejects.toThrow("No suitable private key found");
    for (const broken of [Buffer.alloc(0), wrapped.subarray(0, 40), Buffer.from("3003020100", "hex")]) {
      await expect(pkcs7Opener([one.key]).open(broken, "pkcs7")).rejects.toThrow("could not parse PKCS7 packet");
    }
  });
});

test("certificates of other keys than RSA, and files that are none, are refused", () => {
  const ec = certify("ec", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1");
  expect(() => pkcs7Wrapper([ec.file])).toThrow("pkcs7: only RSA keys are supported");
  expect(() => pkcs7Wrapper([join(folder, "one.key")])).toThrow("File provided is not an x509 cert");
  expect(() => pkcs7Wrapper([join(folder, "nothing")])).toThrow("Unable to read file");
});
