/**
 * How layers' keys are kept in an image: each *scheme* (`jwe`, `pgp`, `pkcs7`, `provider.NAME`) has an annotation of its own, with one *wrap* or
 * several: the key, encrypted so that any of the scheme's recipients can read it. Many schemes may be there at once, and one is enough to open it.
 */

/** Encrypts the keys of layers for all recipients of one scheme. */
export interface KeyWrapper {
  readonly scheme: string;
  wrap(secret: Uint8Array): Promise<Uint8Array>;
}

/** Opens wraps, with whatever keys of its schemes were named. */
export interface KeyOpener {
  takes(scheme: string): boolean;
  /** Errors: any, which say why it does not fit; others are asked then. */
  open(wrapped: Uint8Array, scheme: string): Promise<Uint8Array>;
}
