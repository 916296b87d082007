import { existsSync, writeFileSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { Answers } from "../places/ask.ts";
import { readPassphrase } from "../places/trust.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "--output-prefix PREFIX",
  summary: "Generate a sigstore public/private key pair",
  flags: {
    "output-prefix": string({ usage: "Write the keys to PREFIX.pub and PREFIX.private", type: "PREFIX" }),
    "passphrase-file": string({ usage: "Read a passphrase for the private key from PATH", type: "PATH" }),
  },
  args: { most: 0 },
  async run({ cli, flags: { "output-prefix": prefix, "passphrase-file": file } }) {
    if (prefix === "") throw new UsageError("Usage: generate-sigstore-key --output-prefix PREFIX", 1, true);
    const [open, secret] = [`${prefix}.pub`, `${prefix}.private`];
    for (const path of [open, secret]) refuseExisting(path);
    const passphrase = file === "" ? await askTwice(cli, secret) : readPassphrase(file);
    const { generateSigstoreKey } = await import("../../image/trust/sigstore-key.ts");
    const { publicKey, privateKey } = generateSigstoreKey(passphrase);
    write(secret, privateKey, 0o600);
    write(open, publicKey, 0o644);
    cli.out(`Key written to ${JSON.stringify(secret)} and ${JSON.stringify(open)}\n`);
    return 0;
  },
});

function refuseExisting(path: string): void {
  if (!existsSync(path)) return;
  throw new GalleyError("already_exists", `Refusing to overwrite existing ${JSON.stringify(path)}`);
}

/** On a terminal what cannot be seen is typed twice. */
async function askTwice(cli: Cli, path: string): Promise<string> {
  const answers = new Answers(cli);
  cli.leaveWhenDone();
  const first = await answers.secret(`Passphrase for key ${path}: `);
  if (!cli.isTerminal(0) || first === (await answers.secret("Again: "))) return first;
  throw new GalleyError("invalid_argument", "the passphrases are not the same");
}

/** `wx`: nothing that appeared meanwhile is overwritten. */
function write(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { mode, flag: "wx" });
  } catch (failure) {
    throw toGalleyError(failure, { op: "write key", subject: path });
  }
}
