import { join } from "node:path";
import { type Descriptor, mediaTypes } from "../../spec/image.ts";
import { writeFileAtomic } from "../../state/atomic-file.ts";
import type { ContentStore } from "../content/content-store.ts";
import type { ImageRow, ImageTable, NameRow } from "./image-table.ts";

const REF_NAME = "org.opencontainers.image.ref.name";

/** The annotation in which containerd's tools look for a whole name. */
const IMAGE_NAME = "io.containerd.image.name";

/**
 * Writes the layout's `index.json` from the tables (image-spec image-layout.md). It is for other programs; nothing here reads it.
 * To be called at the end of the transaction that changes names: a crash in between leaves an index that differs from the
 * tables until the next change writes it anew.
 */
export function writeLayoutIndex(content: ContentStore, table: ImageTable): void {
  content.prepare();
  const names = table.allNames();
  const manifests = [...names.filter(isTag).map(named), ...untagged(table.all(), names)];
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  writeFileAtomic(join(content.directory, "index.json"), JSON.stringify(index));
}

function isTag({ name }: NameRow): boolean {
  return !name.includes("@");
}

function named(row: NameRow): Descriptor {
  const annotations = { [REF_NAME]: row.name, [IMAGE_NAME]: row.name };
  return { mediaType: row.target_type, digest: row.target_digest, size: row.target_size, annotations };
}

/** Images without a tag are listed too, lest other programs take their content for rubbish. */
function untagged(images: readonly ImageRow[], names: readonly NameRow[]): readonly Descriptor[] {
  const tagged = new Set(names.filter(isTag).map((row) => row.image));
  return images
    .filter(({ id }) => !tagged.has(id))
    .map((row) => ({ mediaType: row.manifest_type, digest: row.manifest_digest, size: row.manifest_size }));
}
