/** Recipients of `pgp:` and `pkcs7:` beside those of `jwe:`, as containers/ocicrypt has them: each way between Galley and Debian's skopeo. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GpgHome, makeGpgHome } from "../harness/gpg.ts";
import { openssl } from "../harness/openssl.ts";
import { patience } from "../harness/patience.ts";
import { testWith } from "../harness/requirements.ts";
import { EncryptionLab, manifestOf, schemesOf } from "./encryption-lab.ts";

// Some tests are a dozen commands, and gpg's agent takes its time.
setDefaultTimeout(30_000 * patience);

const lab = new EncryptionLab();
const { key, plain, place, copy, locked, refused, skopeo, expectOpened } = lab;
const passphrase = "correct horse";
const homes: GpgHome[] = [];
/** Of the tests' own, so that what others left is none of theirs. */
const scratch = join(lab.folder, "scratch");

beforeAll(() => {
  const keys = [keysOf("ann", passphrase), keysOf("bob", "")];
  const [ann, bob] = keys;
  // Ann's keyring is the user's: she knows Bob.
  run("gpg", "--homedir", ann?.directory ?? "", "--batch", "--quiet", "--import", bob?.publicKey ?? "");
  mkdirSync(scratch);
  lab.env = { GNUPGHOME: ann?.directory ?? "", TMPDIR: scratch };
  for (const name of ["one", "two"]) certify(name);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(key("rsa.pub"), rsa.publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(key("rsa.key"), rsa.privateKey.export({ type: "pkcs8", format: "pem" }));
}, 60_000 * patience);
afterAll(async () => {
  for (const home of homes) home.stop();
  await lab.stop();
});

function run(...command: readonly string[]): Buffer {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command]);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout;
}

/** A keyring, of kinds that Debian's skopeo knows, with a key to encrypt for; what is exported of it is NAME.asc, NAME.gpg and, of the public keys, NAME.pub. */
function keysOf(name: string, secret: string): GpgHome {
  const home = makeGpgHome(lab.folder, name, secret, "rsa2048");
  homes.push(home);
  const loopback = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", secret];
  const gpg = (...words: readonly string[]) => run("gpg", "--homedir", home.directory, ...loopback, ...words);
  gpg("--quick-add-key", home.fingerprint, "rsa2048", "encr", "never");
  writeFileSync(home.publicKey, gpg("--export"));
  writeFileSync(key(`${name}.pub`), gpg("--export"));
  writeFileSync(key(`${name}.gpg`), gpg("--export-secret-keys"));
  writeFileSync(key(`${name}.asc`), gpg("--armor", "--export-secret-keys"));
  return home;
}

function certify(name: string): void {
  const files = ["-keyout", key(`${name}.key`), "-out", key(`${name}.crt`)];
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", `/C=DE/CN=${name}`, ...files);
}

const flags = (...recipients: readonly string[]) => recipients.flatMap((name) => ["--encryption-key", name]);
const both = { commands: ["gpg", "openssl", "skopeo"] };

describe("pgp:", () => {
  const withPassword = () => `${key("ann.gpg")}:pass=${passphrase}`;

  testWith(both, "what skopeo encrypted is decrypted by Galley, and the other way round", async () => {
    const [its, ours] = [place(), await locked(...flags("pgp:bob@example.com"))];
    await skopeo(...flags("pgp:bob@example.com"), plain, its);
    for (const image of [its, ours]) expect(schemesOf(image)).toEqual(["pgp"]);
    await expectOpened(its, [key("bob.gpg")]);
    await expectOpened(ours, [key("bob.gpg")], skopeo);
  });

  testWith(both, "a password opens the keys", async () => {
    const ours = await locked(...flags("pgp:ann@example.com"));
    await expectOpened(ours, [withPassword()]);
    const why = "PGP: No suitable key found to unwrap key: decryption failed: ";
    await refused(why, "--decryption-key", `${key("ann.gpg")}:pass=no`, ours, place());
    await refused(why, "--decryption-key", key("ann.gpg"), ours, place());
  });

  testWith(both, "people are named by their names, too, and keys may be armored", async () => {
    const ours = await locked(...flags("pgp:ann", "pgp:bob"));
    expect(schemesOf(ours)).toEqual(["pgp"]);
    await expectOpened(ours, [key("bob.asc")]);
    await expectOpened(ours, [withPassword()]);
    await expectOpened(ours, [key("bob.gpg")], skopeo);
  });

  testWith(both, "other keys do not open it", async () => {
    const ours = await locked(...flags("pgp:ann@example.com"));
    const why =
      "no suitable key unwrapper found or none of the private keys could be used for decryption: PGP: No suitable key";
    await refused(why, "--decryption-key", key("bob.gpg"), ours, place());
    await refused("missing private key needed for decryption", "--decryption-key", key("rsa.key"), ours, place());
    writeFileSync(key("broken.gpg"), Buffer.from([0x95, 0x01, 0x02, 0x03]));
    await refused("unable to parse private keys", "--decryption-key", key("broken.gpg"), ours, place());
  });

  testWith(both, "somebody without a key is refused, before anything is copied", async () => {
    const to = place();
    const why = "PGP: No key found for the following recipients: carl@example.com, example.com";
    await refused(why, ...flags("pgp:bob", "pgp:carl@example.com", "pgp:example.com"), plain, to);
    expect(existsSync(to.split(":")[1] ?? "")).toBe(false);
  });

  test("gpg that is not there is missed", async () => {
    const without = { ...lab.env, GNUPGHOME: key("none"), PATH: join(lab.folder, "bin") };
    const { status, stderr } = await lab.store.galley(["copy", "-q", ...flags("pgp:bob"), plain, place()], {
      env: without,
    });
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining("gpg is not installed") });
  });

  test("nothing of the keys is left behind", () => {
    expect(readdirSync(scratch)).toEqual([]);
  });
});

describe("pkcs7:", () => {
  testWith(both, "what skopeo encrypted is decrypted by Galley, and the other way round", async () => {
    const recipients = flags(`pkcs7:${key("one.crt")}`, `pkcs7:${key("two.crt")}`);
    const [its, ours] = [place(), await locked(...recipients)];
    await skopeo(...recipients, plain, its);
    for (const image of [its, ours]) expect(schemesOf(image)).toEqual(["pkcs7"]);
    for (const name of ["one", "two"]) {
      const keys = [key(`${name}.crt`), key(`${name}.key`)];
      await expectOpened(its, keys);
      await expectOpened(ours, keys, skopeo);
    }
  });

  testWith(both, "other keys do not open it", async () => {
    const ours = await locked(...flags(`pkcs7:${key("one.crt")}`));
    const why = "PKCS7: No suitable private key found for decryption";
    await refused(why, "--decryption-key", key("two.key"), ours, place());
    await refused("missing private key needed for decryption", "--decryption-key", key("one.crt"), ours, place());
  });

  test("a file without a certificate is refused", () =>
    refused("File provided is not an x509 cert", ...flags(`pkcs7:${key("rsa.pub")}`), plain, place()));
});

describe("recipients of several protocols", () => {
  const everybody = () => flags("pgp:bob", `pkcs7:${key("one.crt")}`, `jwe:${key("rsa.pub")}`);
  const openers = () => [[key("bob.gpg")], [key("one.key"), key("one.crt")], [key("rsa.key")]];

  testWith(both, "each open it", async () => {
    const [its, ours] = [place(), await locked(...everybody())];
    await skopeo(...everybody(), plain, its);
    for (const image of [its, ours]) expect([...schemesOf(image)].sort()).toEqual(["jwe", "pgp", "pkcs7"]);
    for (const keys of openers()) {
      await expectOpened(ours, keys, skopeo);
      await expectOpened(its, keys);
    }
    await expectOpened(ours, [key("two.key"), key("ann.gpg"), key("bob.gpg")]);
  });

  test("do not take away what is there: encrypted layers stay as they are", async () => {
    const [ours, again] = [await locked(...flags(`jwe:${key("rsa.pub")}`), "--encrypt-layer", "0"), place()];
    await copy(...flags(`pkcs7:${key("one.crt")}`), ours, again);
    expect([0, 1, 2].map((layer) => schemesOf(again, layer))).toEqual([["jwe"], ["pkcs7"], ["pkcs7"]]);
    expect(manifestOf(again).layers[0]).toEqual(manifestOf(ours).layers[0]);
    await expectOpened(again, [key("rsa.key"), key("one.key")]);
  });
});
