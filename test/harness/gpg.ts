import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A GnuPG directory of its own, with one key that can sign. */
export interface GpgHome {
  readonly directory: string;
  readonly fingerprint: string;
  /** The file with the public key. */
  readonly publicKey: string;
  /** What programs that sign with it need in their environment. */
  readonly env: { readonly GNUPGHOME: string };
  /** Ends the agent that gpg started. */
  stop(): void;
}

/** Makes a key for `name`, with a passphrase or without one; in a new directory of the name below `folder`. */
export function makeGpgHome(folder: string, name: string, passphrase = "", algorithm = "ed25519"): GpgHome {
  const directory = join(folder, `gnupg-${name}`);
  mkdirSync(directory, { mode: 0o700 });
  const gpg = (...words: readonly string[]): Buffer => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(["gpg", "--homedir", directory, "--batch", "--quiet", ...words]);
    if (exitCode !== 0) throw new Error(`gpg ${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  const secret = ["--pinentry-mode", "loopback", "--passphrase", passphrase];
  gpg(...secret, "--quick-generate-key", `${name} <${name}@example.com>`, algorithm, "sign", "never");
  const listed = gpg("--with-colons", "--list-keys").toString();
  const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1] ?? "";
  const publicKey = join(directory, "public.asc");
  writeFileSync(publicKey, gpg("--armor", "--export", fingerprint));
  return {
    ...{ directory, fingerprint, publicKey },
    env: { GNUPGHOME: directory },
    stop: () => {
      Bun.spawnSync(["gpgconf", "--homedir", directory, "--kill", "all"]);
    },
  };
}
