/** What the released executable carries inside itself. A clone has none of it: see `assets.ts`. */
export interface EmbeddedAssets {
  /** A path that file reads understand, though no other program can open it: the native program, uncompressed. */
  readonly native: string;
  /** SHA-256 of the native program, in hexadecimal. */
  readonly nativeDigest: string;
  /** The same kind of path: a static busybox, compressed with zstd. */
  readonly busybox: string;
}

let assets: EmbeddedAssets | undefined;

/** Called once, by the executable's entry, before anything else runs. */
export function registerEmbedded(embedded: EmbeddedAssets): void {
  assets = embedded;
}

/** The registered assets; undefined in a clone. No imports here: this is on the way of every command. */
export function embeddedAssets(): EmbeddedAssets | undefined {
  return assets;
}
