import { GalleyError } from "../../errors.ts";
import type { ImageConfig } from "../../spec/image.ts";
import type { ContentStore } from "../content/content-store.ts";
import { matchPlatform, parsePlatform } from "../platform.ts";
import { withoutNulls } from "../pull/config-fields.ts";
import {
  canonicalName,
  familiarName,
  parseAnyReference,
  parseReference,
  type Reference,
  repositoryOf,
  withDefaultTag,
} from "../reference.ts";
import type { ImageRecord } from "../types.ts";
import type { ImageRow, ImageTable, NameRow } from "./image-table.ts";

/** When an image was made whose configuration does not say. */
const NO_TIME = "0001-01-01T00:00:00Z";

/** What a person means by one word: a name first, then an ID or the beginning of one. */
export function findRow(table: ImageTable, text: string): ImageRow | undefined {
  const meant = parseAnyReference(text);
  if ("id" in meant) return visible(table.byId(meant.id));
  return table.byName(nameOf(meant.reference)) ?? findByPrefix(table, text) ?? table.byName(knownAs(table, text));
}

/**
 * The full name under which the store holds what a short name stands for: with registries.conf that need not be docker.io's. The name as
 * docker understands it where there is no other.
 */
export function knownAs(table: ImageTable, text: string): string {
  const own = nameOf(parseReference(text));
  if (table.byName(own) !== undefined) return own;
  // Most names are found before; the files are read for the others only.
  const { possibleNames } = require("../registries/short-names.ts") as typeof import("../registries/short-names.ts");
  const others = possibleNames(text, process.env).map(nameOf);
  return others.find((name) => table.byName(name) !== undefined) ?? own;
}

/** The name under which the store keeps a reference: a digest makes the tag beside it irrelevant. */
export function nameOf(reference: Reference): string {
  const { digest } = reference;
  return digest === undefined ? canonicalName(withDefaultTag(reference)) : `${repositoryOf(reference)}@${digest}`;
}

/** Whether `text` is the ID or its beginning, and not a name. */
export function isIdPrefix(text: string, id: string): boolean {
  return id.startsWith(text) || id.startsWith(`sha256:${text}`);
}

function visible(row: ImageRow | undefined): ImageRow | undefined {
  return row?.hidden === 0 ? row : undefined;
}

function findByPrefix(table: ImageTable, text: string): ImageRow | undefined {
  const hex = text.startsWith("sha256:") ? text.slice(7) : text;
  if (!/^[0-9a-f]{1,63}$/.test(hex)) return undefined;
  const [first, second] = table.byIdPrefix(`sha256:${hex}`);
  if (second === undefined) return first;
  throw new GalleyError("invalid_argument", "more than one image's ID begins so", {
    op: "find image",
    subject: text,
    hint: "give more digits of the ID",
  });
}

/** docker's words for an image that is not there, or not there for the platform. */
export function noSuchImage(text: string, platform?: string): GalleyError {
  const meant = parseAnyReference(text);
  const shown = "id" in meant ? meant.id : familiarName(withDefaultTag(meant.reference));
  return new GalleyError("not_found", `No such image: ${shown}${platform === undefined ? "" : ` for ${platform}`}`);
}

/** The row with its names, which may be given, and its configuration; reads one small file. */
export function recordOf(
  table: ImageTable,
  content: ContentStore,
  row: ImageRow,
  rows: readonly NameRow[] = table.namesOf(row.id),
): ImageRecord {
  const config = withoutNulls(content.readJson<ImageConfig>({ digest: row.id, size: row.config_size }));
  const names = rows.map(({ name }) => familiarName(parseReference(name)));
  return {
    id: row.id,
    names: names.filter((name) => !name.includes("@")),
    digests: names.filter((name) => name.includes("@")),
    manifest: { mediaType: row.manifest_type, digest: row.manifest_digest, size: row.manifest_size },
    config,
    layers: config.rootfs.diff_ids,
    size: row.size,
    createdAt: config.created ?? NO_TIME,
    taggedAt: row.tagged_at,
  };
}

/** Whether an image is for the platform; one that does not say what it is for passes. */
export function suits(image: ImageRecord, platform: string | undefined): boolean {
  if (platform === undefined) return true;
  const wanted = parsePlatform(platform);
  return !image.config.architecture || matchPlatform(wanted, image.config) !== undefined;
}
