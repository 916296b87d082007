import { readFileSync, writeFileSync } from "node:fs";
import { toGalleyError } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { readPassphrase } from "../places/trust.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] MANIFEST DOCKER-REFERENCE KEY-FINGERPRINT --output SIGNATURE",
  summary: "Create a signature using local files",
  flags: {
    output: string({ short: "o", usage: "Output the signature to SIGNATURE", type: "SIGNATURE" }),
    "passphrase-file": string({ usage: "File that contains a passphrase for the key" }),
  },
  args: { least: 3, most: 3 },
  async run({ cli, flags: { output, "passphrase-file": file }, args: [manifest = "", reference = "", key = ""] }) {
    if (output === "") {
      throw new UsageError("Usage: standalone-sign manifest docker-reference key-fingerprint -o signature", 1, true);
    }
    const { gpgSigner } = await import("../../image/trust/simple-signing.ts");
    const { encodeSignature } = await import("../../image/trust/signature.ts");
    const signer = gpgSigner(key, { env: cli.env, passphrase: file === "" ? undefined : readPassphrase(file) });
    const signature = await signer.sign(readBytes(manifest), reference);
    try {
      writeFileSync(output, encodeSignature(signature), { mode: 0o644 });
    } catch (failure) {
      throw toGalleyError(failure, { op: "write signature", subject: output });
    }
    return 0;
  },
});

/** A file, whole. */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (failure) {
    throw toGalleyError(failure, { op: "read", subject: path });
  }
}
