/** What a layer's descriptor says of where its table is. */
export type Annotations = Readonly<Record<string, string>>;

const prefix = "io.github.containers.zstd-chunked.";

/** The annotation that a layer has if, and only if, it is zstd:chunked: the table's place, as offset, length, length of its text, and 1. */
export const TABLE_POSITION = `${prefix}manifest-position`;

/** The digest of the table's compressed bytes. */
export const TABLE_CHECKSUM = `${prefix}manifest-checksum`;

/** Where tar-split's documents are, as offset, length and length of their text. */
export const SPLIT_POSITION = `${prefix}tarsplit-position`;
