import { GalleyError } from "../../errors.ts";
import type { CopyOptions } from "../../image/copy/copy.ts";
import type { KeyOpener } from "../../image/copy/encryption/key-wrap.ts";
import type { FlagSet } from "../flags/flag.ts";
import { list } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";
import type { Flags } from "./flags.ts";

/** Flags of what may encrypt the layers that it copies. */
export function encryptionFlags(): FlagSet {
  return {
    "encryption-key": list({
      usage: "Encrypt the image for this key (jwe:FILE, pgp:ADDRESS, pkcs7:FILE, pkcs11:FILE or provider:NAME)",
    }),
    "encrypt-layer": list({ usage: "Layers to encrypt, by number from 0, or from -1 backwards (default all)" }),
  };
}

/** And decrypt them. */
export function decryptionFlags(): FlagSet {
  return { "decryption-key": list({ usage: "Key to decrypt the image with (/path/to/key.pem[:pass=PASSWORD])" }) };
}

/** What the flags say of encryption, which few copies have to do with. */
export async function cryptOptions(flags: Flags): Promise<Pick<CopyOptions, "encryption" | "decryption">> {
  const [recipients, layers] = [flags.words("encryption-key"), flags.words("encrypt-layer")];
  const keys = flags.words("decryption-key");
  if (recipients.length > 0 && keys.length > 0) {
    throw new UsageError("--encryption-key and --decryption-key cannot be specified together", 1, true);
  }
  if (layers.length > 0 && recipients.length === 0) {
    throw new UsageError("--encrypt-layer can only be used with --encryption-key", 1, true);
  }
  if (recipients.length === 0 && keys.length === 0) return {};
  if (keys.length > 0) return { decryption: await privateKeys(keys) };
  if (flags.text("dest-compress-format") === "zstd:chunked") throw pointless();
  const { readRecipients } = await import("../../image/copy/encryption/recipients.ts");
  return { encryption: { recipients: await readRecipients(recipients), layers: layers.map(layerNumber) } };
}

/** The keys that are named; `undefined` where none is. */
export async function privateKeys(names: readonly string[]): Promise<readonly KeyOpener[] | undefined> {
  if (names.length === 0) return undefined;
  const { readPrivateKeys } = await import("../../image/copy/encryption/private-keys.ts");
  return readPrivateKeys(names);
}

function layerNumber(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new UsageError(
    `invalid argument ${JSON.stringify(text)} for "--encrypt-layer" flag: it is no whole number`,
    1,
    true,
  );
}

function pointless(): GalleyError {
  return new GalleyError("invalid_argument", "zstd:chunked is of no use where layers are encrypted", {
    op: "copy",
    hint: "nobody can fetch a part of such a layer: use zstd",
  });
}
