import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { type KeyOwner, ownersOf } from "./key-owners.ts";
import { refused } from "./refused.ts";
import { MAX_SIGNATURE } from "./signature.ts";

const AGENT_SETTINGS = "gpg-agent.conf";

/** A message may be compressed, so that a small one of a stranger's would fill the memory. */
const CAPPED = ["--max-output", String(MAX_SIGNATURE)];

/** OpenPGP through the program `gpg`, with the user's keys or with a keyring made for one purpose. */
export class Gpg {
  #runs = 0;

  private constructor(
    private readonly scratch: string,
    private readonly home: string | undefined,
    private readonly env: Readonly<Record<string, string | undefined>>,
    /** Fingerprints of the keys of a keyring made for one purpose. */
    readonly fingerprints: readonly string[] = [],
  ) {}

  /** The user's own keys: GNUPGHOME, or ~/.gnupg. */
  static user(env: Readonly<Record<string, string | undefined>> = process.env): Gpg {
    return new Gpg(scratchFolder(), undefined, env);
  }

  /** A keyring that holds these keys and no other; each of `keys` may be armored or not, and hold several. */
  static async ofKeys(keys: readonly Uint8Array[]): Promise<Gpg> {
    const scratch = scratchFolder();
    const gpg = new Gpg(scratch, scratch, process.env);
    return gpg.#orClosed(async () => {
      const found: string[] = [];
      for (const key of keys) found.push(...(await gpg.#addKeys(key)));
      return new Gpg(scratch, scratch, process.env, [...new Set(found)]);
    });
  }

  /** A keyring that holds the secret keys of a file, armored or not, and gpg's agent for it. `invalid_argument` where it has none. */
  static async ofSecretKeys(keys: Uint8Array): Promise<Gpg> {
    const scratch = scratchFolder();
    // The agent protects what it is given anew, with an effort of seconds that it measures first: of no use in a folder that is removed at once.
    writeFileSync(join(scratch, AGENT_SETTINGS), "s2k-count 65536\n");
    const gpg = new Gpg(scratch, scratch, process.env);
    return gpg.#orClosed(async () => {
      const { status, said } = await gpg.#run(["--import"], keys);
      // Of the number behind it 16 says that there was a secret key (gpg's doc/DETAILS, IMPORT_OK).
      if (status.some(([word, reason]) => word === "IMPORT_OK" && (Number(reason) & 16) !== 0)) return gpg;
      throw new GalleyError("invalid_argument", `unable to parse private keys: ${said}`, { op: "read key" });
    });
  }

  /** Leaves nothing where a keyring cannot be filled. */
  async #orClosed(fill: () => Promise<Gpg>): Promise<Gpg> {
    try {
      return await fill();
    } catch (failure) {
      this.close();
      throw failure;
    }
  }

  /** Removes what was written, and ends the agent of a keyring made for one purpose. */
  close(): void {
    // Its socket may be in another folder.
    if (existsSync(join(this.scratch, AGENT_SETTINGS)))
      Bun.spawnSync(["gpgconf", "--homedir", this.scratch, "--kill", "all"]);
    rmSync(this.scratch, { recursive: true, force: true });
  }

  async #addKeys(key: Uint8Array): Promise<readonly string[]> {
    const { status } = await this.#run(["--no-autostart", "--import"], key);
    return status.flatMap(([word, , fingerprint]) =>
      word === "IMPORT_OK" && fingerprint !== undefined ? [fingerprint] : [],
    );
  }

  /** The e-mail addresses of the keys' owners; their names where they have none. */
  async users(): Promise<readonly string[]> {
    const names = ownersOf((await this.#listed()).output).flatMap(({ users }) => users);
    return names.map((name) => /<([^>]+)>/.exec(name)?.[1] ?? name);
  }

  /** The public keys that there are, and whose they are: each user as `NAME <ADDRESS>`, mostly. Keys that are expired or revoked are left out. */
  async owners(): Promise<readonly KeyOwner[]> {
    return ownersOf((await this.#listed()).output).filter(({ isValid }) => isValid);
  }

  #listed() {
    return this.#run(["--no-autostart", "--with-colons", "--list-keys"], new Uint8Array());
  }

  /** Encrypts for the keys with these fingerprints: a message that is not armored, in AES-256, not compressed (RFC 4880). */
  async encrypt(content: Uint8Array, fingerprints: readonly string[]): Promise<Uint8Array> {
    const recipients = fingerprints.flatMap((fingerprint) => ["--recipient", fingerprint]);
    const how = ["--no-armor", "--cipher-algo", "AES256", "--compress-algo", "none", "--no-encrypt-to"];
    const trust = ["--no-autostart", "--trust-model", "always", "--no-auto-key-locate"];
    const { output, said, code } = await this.#run([...how, ...trust, ...recipients, "--encrypt"], content);
    if (code === 0 && output.length > 0) return output;
    throw new GalleyError("failed_precondition", `gpg does not encrypt: ${said}`, { op: "encrypt" });
  }

  /** Decrypts with a secret key of the keyring; `permission_denied` where none fits, its passphrase is another, or the content has more than 4 MiB. */
  async decrypt(message: Uint8Array, passphrase: Uint8Array | undefined): Promise<Uint8Array> {
    const file = join(this.scratch, `message-${++this.#runs}`);
    writeFileSync(file, message, { mode: 0o600 });
    const secret = ["--pinentry-mode", "loopback", "--passphrase-fd", "0"];
    const line = Buffer.concat([passphrase ?? new Uint8Array(), Buffer.from("\n")]);
    const { output, said, code, status } = await this.#run(
      [...secret, ...CAPPED, "--output", "-", "--decrypt", file],
      line,
    );
    if (code === 0 && status.some(([word]) => word === "DECRYPTION_OKAY")) return output;
    throw refused(said);
  }

  /**
   * Checks a message that signs what it holds; gives that, and who signed. There must be one good signature, and nothing that speaks against it: an
   * expired or revoked key, a second signature, content that is not signed. `permission_denied` otherwise.
   */
  async verify(
    message: Uint8Array,
  ): Promise<{ readonly content: Uint8Array; readonly key: string; readonly primary: string }> {
    const trust = ["--no-autostart", "--trust-model", "always", "--no-auto-key-retrieve"];
    const { status, output, said } = await this.#run([...trust, ...CAPPED, "--output", "-", "--verify"], message);
    const lines = (word: string) => status.filter(([first]) => first === word);
    const bad = status.find(([word]) => word !== undefined && against.includes(word));
    if (bad !== undefined) throw refused(`Invalid GPG signature: ${bad.slice(0, 2).join(" ")}`);
    const [valid, ...more] = lines("VALIDSIG");
    if (lines("NEWSIG").length > 1 || more.length > 0) {
      throw refused(`Unexpected GPG signature count ${Math.max(lines("NEWSIG").length, more.length + 1)}`);
    }
    const good = lines("GOODSIG").length === 1 && lines("PLAINTEXT").length === 1;
    if (valid === undefined || !good) throw refused(`Invalid GPG signature${said === "" ? "" : `: ${said}`}`);
    const [, key = "", , , , , , , , kind, primary = key] = valid;
    // Classes 00 and 01 (RFC 4880 section 5.2.1): a signature of a document, not one of a key.
    if (kind !== "00" && kind !== "01") throw refused("Invalid GPG signature: it does not sign a document");
    return { content: output, key, primary };
  }

  /** Signs content into a message that holds it. A `passphrase` is for the key; without one gpg's agent is asked. */
  async sign(content: Uint8Array, key: string, passphrase?: string): Promise<Uint8Array> {
    const file = join(this.scratch, "content");
    writeFileSync(file, content, { mode: 0o600 });
    const secret = passphrase === undefined ? [] : ["--pinentry-mode", "loopback", "--passphrase-fd", "0"];
    const { output, said, code } = await this.#run(
      [...secret, "--no-armor", "--local-user", key, "--output", "-", "--sign", file],
      Buffer.from(passphrase === undefined ? "" : `${passphrase}\n`),
    );
    if (code === 0 && output.length > 0) return output;
    throw new GalleyError("failed_precondition", `gpg does not sign: ${said}`, {
      op: "create signature",
      subject: key,
      hint: "gpg --list-secret-keys shows the keys that there are; a key with a passphrase needs --sign-passphrase-file or an agent",
    });
  }

  async #run(words: readonly string[], input: Uint8Array) {
    const program = Bun.which("gpg", { PATH: this.env.PATH ?? process.env.PATH ?? "" });
    if (program === null) throw noGpg();
    const statusFile = join(this.scratch, `status-${++this.#runs}`);
    const homedir = this.home === undefined ? [] : ["--no-options", "--homedir", this.home];
    const common = [...homedir, "--batch", "--no-tty", "--quiet", "--status-file", statusFile];
    const child = Bun.spawn([program, ...common, ...words], {
      stdio: [Buffer.from(input), "pipe", "pipe"],
      env: { ...this.env, LC_ALL: "C" },
    });
    const [output, errors] = await Promise.all([new Response(child.stdout).bytes(), new Response(child.stderr).text()]);
    const code = await child.exited;
    const [last = ""] = errors.trim().split("\n").slice(-1);
    return { code, output, said: last.replace(/^gpg: /, ""), status: readStatus(statusFile) };
  }
}

/** Words of gpg's status output (its doc/DETAILS) after which a signature does not count. */
const against = [
  ...["BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NO_PUBKEY", "NODATA", "BADARMOR", "UNEXPECTED"],
  ...["FAILURE", "ERROR", "KEYREVOKED", "BEGIN_DECRYPTION"],
];

function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), "galley-gpg-"));
}

function readStatus(path: string): readonly (readonly string[])[] {
  try {
    const lines = readFileSync(path, "utf8").split("\n");
    rmSync(path);
    return lines.filter((line) => line.startsWith("[GNUPG:] ")).map((line) => line.slice(9).split(" "));
  } catch {
    return []; // It wrote nothing, which says as much.
  }
}

function noGpg(): GalleyError {
  return new GalleyError("failed_precondition", "the program gpg is not installed", {
    op: "run gpg",
    hint: "install GnuPG: apt-get install gpg",
  });
}
