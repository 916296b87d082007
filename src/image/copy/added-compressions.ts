import type { Descriptor } from "../../spec/image.ts";
import { formatPlatform, normalizePlatform } from "../platform.ts";
import type { CompressionOptions } from "./compress.ts";

/** What containers/image says in a list of an image whose layers are zstd: who can read it takes it, the others take the first. */
const ZSTD = "io.github.containers.compression.zstd";

type Format = CompressionOptions["format"];

/** An image of a list that is to be in it once more, compressed otherwise. */
export interface Addition {
  readonly entry: Descriptor;
  readonly format: Format;
}

/** Which images have to be added so that there is one of each compression for each platform. An image of which nothing is said is gzip. */
export function additions(entries: readonly Descriptor[], formats: readonly Format[]): readonly Addition[] {
  const there = new Set(entries.map((entry) => keyOf(entry, entry.annotations?.[ZSTD] === "true" ? "zstd" : "gzip")));
  const added: Addition[] = [];
  for (const entry of entries.filter(isImageOfPlatform)) {
    for (const format of formats) {
      const key = keyOf(entry, format.startsWith("zstd") ? "zstd" : format);
      if (there.has(key)) continue;
      there.add(key);
      added.push({ entry, format });
    }
  }
  return added;
}

function isImageOfPlatform({ platform, artifactType }: Descriptor): boolean {
  return platform !== undefined && artifactType === undefined;
}

function keyOf({ platform }: Descriptor, compression: string): string {
  return `${platform === undefined ? "" : formatPlatform(normalizePlatform(platform))} ${compression}`;
}

/** The entry of a list with what is to be said of its compression. */
export function markedWith(entry: Descriptor, format: Format | undefined): Descriptor {
  if (format?.startsWith("zstd") !== true) return entry;
  return { ...entry, annotations: { ...entry.annotations, [ZSTD]: "true" } };
}
