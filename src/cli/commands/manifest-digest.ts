import { readFileSync } from "node:fs";
import { toGalleyError } from "../../errors.ts";
import { digestOf } from "../../image/digest.ts";
import { defineCommand } from "../command.ts";

export const command = defineCommand({
  usage: "MANIFEST-FILE",
  summary: "Compute a manifest digest of a file",
  flags: {},
  args: { least: 1, most: 1 },
  async run({ cli, args: [path = ""] }) {
    cli.out(`${digestOf(unsigned(read(path)))}\n`);
    return 0;
  },
});

function read(path: string): Buffer {
  try {
    return readFileSync(path === "-" ? 0 : path);
  } catch (failure) {
    throw toGalleyError(failure, { op: "read", subject: path });
  }
}

/**
 * Docker's schema 1 carries signatures that its digest leaves out: the signed part is what comes before them, with the tail that
 * the signature's own header keeps (JSON Web Signature, `formatLength` and `formatTail`).
 */
function unsigned(bytes: Buffer): Uint8Array {
  try {
    const manifest = JSON.parse(bytes.toString("utf8")) as {
      schemaVersion?: unknown;
      signatures?: { protected?: unknown }[];
    };
    const [signature] = manifest.schemaVersion === 1 ? (manifest.signatures ?? []) : [];
    if (typeof signature?.protected !== "string") return bytes;
    const header = JSON.parse(Buffer.from(signature.protected, "base64url").toString("utf8")) as {
      formatLength: number;
      formatTail: string;
    };
    return Buffer.concat([bytes.subarray(0, header.formatLength), Buffer.from(header.formatTail, "base64url")]);
  } catch {
    return bytes; // Not a manifest that we know: the file as it is.
  }
}
