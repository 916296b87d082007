import { statSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { type Accept, copyImage } from "../../image/copy/copy.ts";
import { entriesOf } from "../../image/lists/entries.ts";
import { formatPlatform, matchPlatform, parsePlatform } from "../../image/platform.ts";
import { familiarName, parseReference, withDefaultTag } from "../../image/reference.ts";
import { DirSource } from "../../image/transports/dir/dir-source.ts";
import { ArchiveSource, archivedImages } from "../../image/transports/docker-archive/archive-source.ts";
import { ArchiveFiles } from "../../image/transports/files/archive-files.ts";
import { DirectoryFiles, type FileSet } from "../../image/transports/files/file-set.ts";
import { LayoutSource, layoutIndex, REF_NAME } from "../../image/transports/oci/layout-source.ts";
import type { Source } from "../../image/transports/place.ts";
import type { PlaceName } from "../../image/transports/place-name.ts";
import type { ImageBatch, Images } from "../../image/types.ts";
import type { Descriptor, Platform } from "../../spec/image.ts";

export interface LoadOptions {
  readonly scratch: string;
  readonly platform?: string;
  readonly signal: AbortSignal;
  /** Whether images of a place may be used; absent: they may. */
  readonly accept?: (place: PlaceName) => Promise<Accept | undefined>;
  /** Told of each image when it is in the store. */
  readonly loaded: (image: LoadedImage) => void;
}

/** An image that was loaded, with the names that it got. */
export interface LoadedImage {
  readonly id: string;
  readonly names: readonly string[];
}

/** docker's lines about an image that was loaded. */
export function loadedLines({ id, names }: LoadedImage): string {
  if (names.length === 0) return `Loaded image ID: ${id}\n`;
  return names.map((name) => `Loaded image: ${name}\n`).join("");
}

/** An image of an archive, with the names that it has there. */
interface Loadable {
  readonly source: Source;
  readonly names: readonly string[];
  /** The place as policies know it. */
  readonly place: PlaceName;
}

/**
 * Adds the images of an archive to the store: one of docker save, old or new, or an OCI layout; compressed or not; or the same as a
 * directory, or one of `dir:`. `-` is standard input.
 */
export async function loadImages(images: Images, path: string, options: LoadOptions): Promise<void> {
  const { scratch, signal } = options;
  const directory = path !== "-" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const files = directory ? new DirectoryFiles(path, path) : await ArchiveFiles.open(path, { scratch, signal });
  try {
    await loadAll(await images.batch(), await loadables(files, path, directory), options);
  } finally {
    await files.close();
  }
}

/** `manifest.json` says more about names than a layout's index, which Docker writes beside it. */
async function loadables(files: FileSet, path: string, directory: boolean): Promise<readonly Loadable[]> {
  if (directory && (await files.size("version")) !== undefined) {
    return [{ source: new DirSource(files.name, files), names: [], place: { transport: "dir", path } }];
  }
  if ((await files.size("manifest.json")) !== undefined) {
    const archived = await archivedImages(files);
    return archived.map((image) => ({
      source: new ArchiveSource(files.name, files, image, false),
      names: image.tags,
      place: { transport: "docker-archive", path },
    }));
  }
  if ((await files.size("index.json")) === undefined) {
    throw new GalleyError(
      "invalid_argument",
      "it is no archive of images: it holds neither manifest.json nor index.json",
      {
        op: "load",
        subject: files.name,
      },
    );
  }
  const { manifests } = await layoutIndex(files);
  return manifests.map((entry, position) => ({
    source: new LayoutSource(files.name, files, { position }),
    names: namesOf(entry),
    place: { transport: directory ? "oci" : "oci-archive", path },
  }));
}

/** containerd's annotation holds a whole name; OCI's may hold a tag alone, which names no repository. */
function namesOf({ annotations }: Descriptor): readonly string[] {
  const whole = annotations?.["io.containerd.image.name"];
  if (whole !== undefined) return [whole];
  const name = annotations?.[REF_NAME];
  return name !== undefined && /[/:]/.test(name) ? [name] : [];
}

/** Loads one after the other; where one fails, those before it stay. They are told of when they are in the store. */
async function loadAll(batch: ImageBatch, loadables: readonly Loadable[], options: LoadOptions): Promise<void> {
  const done: LoadedImage[] = [];
  const commit = async () => {
    await batch.commit();
    for (const image of done.splice(0)) options.loaded(image);
  };
  try {
    for (const one of loadables) {
      done.push(await load(batch, one, options));
      if (batch.isDue) await commit();
    }
    await commit();
  } catch (failure) {
    const first = toGalleyError(failure);
    await commit().catch((second: unknown) => first.cleanup.push(second));
    throw first;
  } finally {
    await batch.close();
  }
}

/** Adds one image to the batch. */
async function load(batch: ImageBatch, { source, names, place }: Loadable, options: LoadOptions): Promise<LoadedImage> {
  const { signal, platform } = options;
  const tags = names.map((name) => familiarName(withDefaultTag(parseReference(name))));
  const wanted = platform === undefined ? {} : { platform: parsePlatform(platform) };
  if (wanted.platform !== undefined) await refuseOthers(source, wanted.platform);
  const destination = batch.destination(tags);
  try {
    await copyImage(source, destination, { signal, accept: await options.accept?.(place), ...wanted });
    return { id: destination.imageId, names: tags };
  } finally {
    await destination.close();
  }
}

/** Refuses an image that is for another machine; of a list the copy chooses. */
export async function refuseOthers(source: Source, wanted: Platform): Promise<void> {
  const [entry] = await entriesOf(source, { all: false, platform: wanted });
  if (entry?.platform === undefined || matchPlatform(wanted, entry.platform) !== undefined) return;
  throw new GalleyError("not_found", `the image is not for ${formatPlatform(wanted)}`, {
    op: "load",
    subject: source.name,
  });
}
