/** Small messages of OpenPGP that unpack to much: whoever may sign, or has a public key, can make them. */
import { afterAll, expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gpg } from "../../src/image/trust/gpg.ts";
import { makeGpgHome } from "../harness/gpg.ts";
import { testWith } from "../harness/requirements.ts";

const folder = mkdtempSync(join(tmpdir(), "galley-gpg-bombs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const needs = { commands: ["gpg"] };
const [small, large] = [Buffer.alloc(3 << 20), Buffer.alloc(16 << 20)];

testWith(needs, "a signed message is read up to four megabytes", async () => {
  const home = makeGpgHome(folder, "signer");
  const signer = Gpg.user({ ...process.env, ...home.env });
  const reader = await Gpg.ofKeys([readFileSync(home.publicKey)]);
  try {
    const [good, bomb] = [await signer.sign(small, home.fingerprint), await signer.sign(large, home.fingerprint)];
    expect(bomb.length).toBeLessThan(1 << 20);
    expect((await reader.verify(good)).content.length).toBe(small.length);
    await expect(reader.verify(bomb)).rejects.toThrow("Invalid GPG signature");
  } finally {
    for (const gpg of [signer, reader]) gpg.close();
    home.stop();
  }
});

testWith(needs, "and so is an encrypted one", async () => {
  const home = makeGpgHome(folder, "reader");
  const gpg = (words: readonly string[], input: Uint8Array = Buffer.of()) => {
    const all = ["gpg", "--homedir", home.directory, "--batch", "--quiet", "--trust-model", "always", ...words];
    const { exitCode, stdout, stderr } = Bun.spawnSync(all, { stdin: Buffer.from(input) });
    if (exitCode !== 0) throw new Error(stderr.toString());
    return stdout;
  };
  const alone = ["--pinentry-mode", "loopback", "--passphrase", ""];
  gpg([...alone, "--quick-add-key", home.fingerprint, "cv25519", "encr", "never"]);
  const sealed = (content: Uint8Array) => gpg(["--recipient", home.fingerprint, "--encrypt"], content);
  const reader = await Gpg.ofSecretKeys(gpg([...alone, "--export-secret-keys", home.fingerprint]));
  try {
    const [good, bomb] = [sealed(small), sealed(large)];
    expect(bomb.length).toBeLessThan(1 << 20);
    expect((await reader.decrypt(good, undefined)).length).toBe(small.length);
    await expect(reader.decrypt(bomb, undefined)).rejects.toThrow();
  } finally {
    reader.close();
    home.stop();
  }
});
