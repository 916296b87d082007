import { GalleyError } from "../../errors.ts";
import { digestOf, parseDigest } from "../../image/digest.ts";
import { canonicalName, parseReference } from "../../image/reference.ts";
import type { Gpg } from "../../image/trust/gpg.ts";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";
import { readBytes } from "./standalone-sign.ts";

export const command = defineCommand({
  usage: "[OPTIONS] MANIFEST DOCKER-REFERENCE KEY-FINGERPRINTS SIGNATURE",
  summary: "Verify a signature using local files; KEY-FINGERPRINTS are separated by commas, or any",
  flags: { "public-key-file": string({ usage: "File with public keys, in place of the user's own GPG keys" }) },
  args: { least: 4, most: 4 },
  async run({ cli, flags, args: [manifest = "", reference = "", keys = "", signature = ""] }) {
    const file = flags["public-key-file"];
    if (keys === "any" && file === "") {
      throw new UsageError("Cannot use any fingerprint without a public key file", 1, true);
    }
    const { verifySimple } = await import("../../image/trust/simple-signing.ts");
    const gpg = await openKeys(cli, file);
    try {
      const accepted = keys === "any" ? gpg.fingerprints : keys.split(",");
      const { claim, key } = await verifySimple(gpg, readBytes(signature), accepted);
      const { algorithm } = parseDigest(claim.digest);
      if (digestOf(readBytes(manifest), algorithm) !== claim.digest) {
        throw refused(`Signature for docker digest ${JSON.stringify(claim.digest)} does not match`);
      }
      const expected = canonicalName(parseReference(reference));
      if (canonicalName(parseReference(claim.identity)) !== expected) {
        throw refused(`Docker reference ${claim.identity} does not match ${expected}`);
      }
      cli.out(`Signature verified using fingerprint ${key}, digest ${claim.digest}\n`);
      return 0;
    } finally {
      gpg.close();
    }
  },
});

async function openKeys(cli: Cli, file: string): Promise<Gpg> {
  const { Gpg: Keys } = await import("../../image/trust/gpg.ts");
  return file === "" ? Keys.user(cli.env) : Keys.ofKeys([readBytes(file)]);
}

function refused(why: string): GalleyError {
  return new GalleyError("permission_denied", why, { op: "verify signature" });
}
