import { GalleyError } from "../../../errors.ts";
import { Gpg } from "../../trust/gpg.ts";
import type { KeyOwner } from "../../trust/key-owners.ts";
import { invalidKey } from "./key-file.ts";
import type { KeyOpener, KeyWrapper } from "./key-wrap.ts";
import { whileUsed } from "./while-used.ts";

/**
 * For owners of keys in the user's own keyring, by address or by name. As with skopeo a key counts whatever the keyring says of its trust.
 * Errors: `invalid_argument` for somebody without a key there, `failed_precondition` without gpg.
 */
export async function pgpWrapper(recipients: readonly string[]): Promise<KeyWrapper> {
  const gpg = whileUsed(async () => Gpg.user());
  const owners = await gpg((one) => one.owners());
  const lost = recipients.filter((recipient) => !owners.some((owner) => isOf(owner, recipient)));
  if (lost.length > 0) {
    const why = `PGP: No key found for the following recipients: ${lost.join(", ")}`;
    throw invalidKey(`pgp:${lost[0]}`, why, "gpg --list-keys shows the keys that there are");
  }
  const keys = owners.filter((owner) => recipients.some((recipient) => isOf(owner, recipient)));
  const fingerprints = keys.map(({ fingerprint }) => fingerprint);
  return { scheme: "pgp", wrap: (secret) => gpg((one) => one.encrypt(secret, fingerprints)) };
}

/** Whether a key's owner has this address or this name: all of it. */
function isOf({ users }: KeyOwner, recipient: string): boolean {
  return users.some((user) => {
    const [, name = user, address = user] = /^(.*?)\s*<([^>]*)>$/.exec(user) ?? [];
    return name.replace(/^"(.*)"$/, "$1") === recipient || address === recipient;
  });
}

/** A file with secret keys, armored or not, and their password. */
export interface KeyRing {
  readonly bytes: Uint8Array;
  readonly password: Uint8Array | undefined;
}

/** Whether content begins as secret keys do: armored, or with a packet of that kind (RFC 4880, sections 4.2, 4.3 and 6.2). */
export function isKeyRing(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  const armored = Buffer.from(bytes.subarray(0, 4096)).includes("-----BEGIN PGP PRIVATE KEY BLOCK-----");
  return armored || (first & 0xfc) === 0x94 || first === 0xc5;
}

/** With files of secret keys, each in a keyring of its own; the user's is not looked at, as with skopeo. */
export function pgpOpener(rings: readonly KeyRing[]): KeyOpener {
  const opened = rings.map(({ bytes, password }) => ({ gpg: whileUsed(() => Gpg.ofSecretKeys(bytes)), password }));
  const open = async (wrapped: Uint8Array): Promise<Uint8Array> => {
    const reasons: string[] = [];
    for (const { gpg, password } of opened) {
      try {
        return await gpg((one) => one.decrypt(wrapped, password));
      } catch (failure) {
        reasons.push((failure as Error).message);
      }
    }
    const why = ["PGP: No suitable key found to unwrap key", ...new Set(reasons)].join(": ");
    throw new GalleyError("permission_denied", why);
  };
  return { takes: (scheme) => scheme === "pgp", open };
}
