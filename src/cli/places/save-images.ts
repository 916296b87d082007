import { resolve } from "node:path";
import { GalleyError } from "../../errors.ts";
import { copyImage } from "../../image/copy/copy.ts";
import { canonicalName, parseReference } from "../../image/reference.ts";
import { ArchiveWriter } from "../../image/transports/docker-archive/archive-writer.ts";
import { ArchiveSink } from "../../image/transports/files/archive-sink.ts";
import { DirectorySink } from "../../image/transports/files/file-sink.ts";
import { descriptorOutput, fileOutput, type Output } from "../../image/transports/files/output.ts";
import { LayoutWriter } from "../../image/transports/oci/layout-writer.ts";
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

/** Writes images of the store to one archive or layout, or one image to a directory. */
export async function saveImages(images: Images, names: readonly string[], options: SaveOptions): Promise<void> {
  const wanted = chosen(images, names, options.platform);
  if (options.format !== "docker-dir") return saveAll(images, wanted, options);
  const [only, second] = wanted;
  if (only === undefined || second !== undefined) {
    throw new GalleyError("invalid_argument", `${options.format} holds one image`, {
      op: "save",
      hint: "save several to a docker-archive, an oci-archive or an oci-dir",
    });
  }
  const { output, compress, scratch } = options;
  const layers = compress ? "compressed" : "any";
  const place = await openDestination({ transport: "dir", path: output }, { layers, scratch });
  await copyTo(images, only, place, options.signal);
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

async function saveAll(images: Images, wanted: readonly Wanted[], options: SaveOptions): Promise<void> {
  const writer = writerFor(options);
  try {
    for (const one of wanted) await copyTo(images, one, writer.image(one.tags), options.signal);
    await writer.finish();
  } finally {
    await writer.close();
  }
}

function writerFor(options: SaveOptions): ArchiveWriter | LayoutWriter {
  const { format, output, uncompressed, scratch } = options;
  const name = `${format}:${output}`;
  if (format === "docker-archive") return new ArchiveWriter(name, outputFor(options), scratch);
  const sink =
    format === "oci-archive" ? new ArchiveSink(outputFor(options), scratch) : new DirectorySink(resolve(output));
  return new LayoutWriter(name, sink, uncompressed ? "any" : "compressed");
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
