import { invalidKey } from "./key-file.ts";
import type { KeyWrapper } from "./key-wrap.ts";

/** How the recipients of each protocol are read; all of a protocol share a wrap. */
const protocols: Readonly<Record<string, (values: readonly string[]) => Promise<readonly KeyWrapper[]>>> = {
  jwe: async (files) => [(await import("./jwe.ts")).jweWrapper(files)],
  pgp: async (names) => [await (await import("./pgp.ts")).pgpWrapper(names)],
  pkcs7: async (files) => [(await import("./pkcs7.ts")).pkcs7Wrapper(files)],
  provider: async (values) => (await import("./provider.ts")).providerWrappers(values),
  pkcs11: async (files) => [(await import("./pkcs11.ts")).pkcs11Wrapper(files)],
};

/**
 * Recipients as they are written on a command line, PROTOCOL:VALUE (ocicrypt's helpers/parse_helpers.go): `jwe:FILE` with a public key,
 * `pkcs7:FILE` with a certificate, `pgp:ADDRESS` with somebody's key in gpg's keyring,
 * `pkcs11:FILE` with the public key of one in a token, `provider:NAME[:PARAMETER]` with a key provider of OCICRYPT_KEYPROVIDER_CONFIG.
 * Errors: `invalid_argument`, `unimplemented` for a file of `pkcs11:` that names a key in a token.
 */
export async function readRecipients(texts: readonly string[]): Promise<readonly KeyWrapper[]> {
  const byProtocol = Map.groupBy(texts, protocolOf);
  const wrappers = [...byProtocol].map(([protocol, named]) =>
    protocols[protocol]?.(named.map((text) => text.slice(protocol.length + 1))),
  );
  return (await Promise.all(wrappers)).flatMap((some) => some ?? []);
}

function protocolOf(text: string): string {
  const colon = text.indexOf(":");
  if (colon < 0) throw invalidKey(text, "Invalid recipient format", "write it as jwe:FILE");
  const protocol = text.slice(0, colon);
  if (Object.hasOwn(protocols, protocol)) return protocol;
  const hint = `use one of ${Object.keys(protocols).join(", ")}`;
  throw invalidKey(text, "Provided protocol not recognized", hint);
}
