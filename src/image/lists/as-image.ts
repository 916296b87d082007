import { digestOf } from "../digest.ts";
import { familiarName, parseReference } from "../reference.ts";
import type { ImageRecord } from "../types.ts";
import { indexOf, type ManifestList } from "./manifest-list.ts";

/** A list as a line among images: its size is that of the index, which is all that the store has of it. */
export function listAsImage(list: ManifestList): ImageRecord {
  const index = indexOf(list);
  const bytes = Buffer.from(JSON.stringify(index));
  const digest = digestOf(bytes);
  const name = familiarName(parseReference(list.name));
  return {
    id: `sha256:${list.id}`,
    names: [name],
    digests: [`${name.slice(0, name.lastIndexOf(":"))}@${digest}`],
    manifest: { mediaType: index.mediaType ?? "", digest, size: bytes.length },
    config: { architecture: "", os: "", rootfs: { type: "layers", diff_ids: [] } },
    layers: [],
    size: bytes.length,
    createdAt: list.createdAt,
    taggedAt: list.createdAt,
  };
}
