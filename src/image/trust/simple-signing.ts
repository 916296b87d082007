import { GalleyError } from "../../errors.ts";
import { Gpg } from "./gpg.ts";
import { type Claim, makePayload, parsePayload } from "./payload.ts";
import type { Signer } from "./signature.ts";

const TYPE = "atomic container signature";

/** Signs as containers-signature(5) has it, with a key of the user's. */
export function gpgSigner(
  key: string,
  options: {
    readonly passphrase?: string | undefined;
    readonly env?: Readonly<Record<string, string | undefined>>;
  } = {},
): Signer {
  return {
    what: "Signing image using simple signing",
    async sign(manifest, identity) {
      const gpg = Gpg.user(options.env);
      try {
        const content = await gpg.sign(makePayload(TYPE, manifest, identity), key, options.passphrase);
        return { format: "simple-signing", content };
      } finally {
        gpg.close();
      }
    },
  };
}

/** Checks an OpenPGP message; gives what it says and the fingerprint of `accepted` that signed it. `permission_denied` for another's. */
export async function verifySimple(
  gpg: Gpg,
  message: Uint8Array,
  accepted: readonly string[],
): Promise<{ readonly claim: Claim; readonly key: string }> {
  const { content, key, primary } = await gpg.verify(message);
  const found = [key, primary].find((one) => accepted.includes(one));
  if (found === undefined)
    throw new GalleyError("permission_denied", `signature by key ${key} of ${primary} is not accepted`);
  return { claim: parsePayload(TYPE, content), key: found };
}
