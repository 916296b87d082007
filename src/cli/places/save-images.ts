import { resolve } from "node:path";
import { GalleyError } from "../../errors.ts";
import { copyImage } from "../../image/copy/copy.ts";
import { canonicalName, parseReference } from "../../image/reference.ts";
import { ArchiveWriter } from "../../image/transports/docker-archive/archive-writer.ts";
import { ArchiveSink } from "../../image/transports/files/archive-sink.ts";
import { DirectorySink } from "../../image/transports/files/file-sink.ts";
import { descriptorOutput, fileOutput, type Output } from "../../image/transports/files/output.ts";
import { LayoutDestination } from "../../image/transports/oci/layout-destination.ts";
import { openDestination } from "../../image/transports/open-place.ts";
import type { Destination } from "../../image/transports/place.ts";
import type { Images } from "../../image/types.ts";

export interface SaveOptions {
  readonly format: "docker-archive" | "oci-archive" | "oci-dir" | "docker-dir";
  /** Empty: standard output. */
  readonly output: string;
  readonly compress: boolean;
  readonly uncompressed: boolean;
  readonly scratch: string;
  readonly platform?: string;
  readonly signal: AbortSignal;
}

/** An image of the store with the names that were asked for. */
interface Wanted {
  readonly id: string;
  readonly tags: readonly string[];
}

/** Writes images of the store to one archive, or one image to a directory. */
export async function saveImages(images: Images, names: readonly string[], options: SaveOptions): Promise<void> {
  const wanted = chosen(images, names, options.platform);
  if (options.format === "docker-archive") return saveArchive(images, wanted, options);
  const [only, second] = wanted;
  if (only === undefined || second !== undefined) {
    throw new GalleyError("invalid_argument", `${options.format} holds one image`, {
      op: "save",
      hint: "save several to a docker-archive",
    });
  }
  await copyTo(images, only, await layoutFor(only, options), options.signal);
}

/** Each image once; a name that is a repository alone means all its tags, as docker has it. */
function chosen(images: Images, names: readonly string[], platform: string | undefined): readonly Wanted[] {
  const tags = new Map<string, string[]>();
  for (const name of names) {
    const image = images.get(name, platform === undefined ? {} : { platform });
    const known = tags.get(image.id) ?? [];
    tags.set(image.id, known);
    if (image.id.startsWith(name) || image.id.startsWith(`sha256:${name}`)) continue;
    const reference = parseReference(name);
    if (reference.digest !== undefined) continue;
    const tag = canonicalName({ ...reference, tag: reference.tag ?? "latest" });
    if (!known.includes(tag)) known.push(tag);
  }
  return [...tags].map(([id, names]) => ({ id, tags: names }));
}

function outputFor({ output }: SaveOptions): Output {
  return output === "" || output === "-" ? descriptorOutput(1, "standard output") : fileOutput(resolve(output));
}

async function saveArchive(images: Images, wanted: readonly Wanted[], options: SaveOptions): Promise<void> {
  const writer = new ArchiveWriter(`docker-archive:${options.output}`, outputFor(options), options.scratch);
  try {
    for (const one of wanted) await copyTo(images, one, writer.image(one.tags, false), options.signal);
    await writer.finish();
  } finally {
    await writer.close();
  }
}

async function layoutFor({ tags }: Wanted, options: SaveOptions): Promise<Destination> {
  const { format, output, compress, uncompressed, scratch } = options;
  if (format === "docker-dir") {
    const layers = compress ? "compressed" : "any";
    return openDestination({ transport: "dir", path: output }, { layers, scratch });
  }
  const layers = uncompressed ? "any" : "compressed";
  const parts = { name: `${format}:${output}`, refName: tags[0], layers } as const;
  if (format === "oci-archive")
    return new LayoutDestination({ ...parts, sink: new ArchiveSink(outputFor(options), scratch) });
  return new LayoutDestination({ ...parts, sink: new DirectorySink(resolve(output)) });
}

async function copyTo(images: Images, { id }: Wanted, destination: Destination, signal: AbortSignal): Promise<void> {
  const source = await images.source(id);
  try {
    // Archives keep no signatures.
    await copyImage(source, destination, { signal, removeSignatures: true });
  } finally {
    await destination.close();
    await source.close();
  }
}
